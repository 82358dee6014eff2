import { openStore } from "../../lib/store/mod.ts";
import { storeContract } from "./contract.ts";

storeContract("memory", (_, now) => openStore({ kind: "memory", now }));
