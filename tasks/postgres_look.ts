/**
 * The part of `deno task doctor` that needs a package: prints as JSON what the
 * server at `DATABASE_URL` says of itself.
 *
 * @module
 */
// Not at once: it has a package, and is run by itself, with the packages.
const { lookAtPostgres } = await import("../lib/store/postgres_open.ts");
import { told } from "./store_care.ts";

Deno.exit(
  await told(async () => {
    const url = Deno.env.get("DATABASE_URL")!;
    console.log(JSON.stringify(await lookAtPostgres(url)));
    return 0;
  }),
);
