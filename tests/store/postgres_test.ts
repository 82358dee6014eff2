import { openStore } from "../../lib/store/mod.ts";
import { databases } from "../helpers/postgres.ts";
import { storeContract } from "./contract.ts";

storeContract(
  "postgres",
  (url, now) => openStore({ kind: "postgres", url, now }),
  databases,
);
