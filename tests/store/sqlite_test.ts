import { openStore } from "../../lib/store/mod.ts";
import { storeContract } from "./contract.ts";

storeContract("sqlite", (dir, now) => {
  return openStore({ kind: "sqlite", path: `${dir}/tickertape.db`, now });
});
