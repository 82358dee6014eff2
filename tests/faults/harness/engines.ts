/**
 * The databases that several processes can share, for tests that are run on each.
 *
 * @module
 */
import { databaseForTests } from "../../helpers/postgres.ts";
import type { Need } from "./needs.ts";
import { Stage, type StageOptions } from "./stage.ts";

export interface Engine {
  name: "SQLite" | "Postgres";
  needs: Need[];
  /** A stage whose servers share a database of the test's own. */
  stage(options?: StageOptions): Promise<Stage>;
}

export const SQLITE: Engine = {
  name: "SQLite",
  needs: [],
  stage: (options) => Promise.resolve(new Stage(options)),
};

export const POSTGRES: Engine = {
  name: "Postgres",
  needs: ["postgres"],
  async stage(options) {
    const database = await databaseForTests();
    const stage = new Stage({ ...options, database: database.url });
    stage.atEnd(() => database[Symbol.asyncDispose]());
    return stage;
  },
};
