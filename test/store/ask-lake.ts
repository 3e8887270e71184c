/** Opens the lake of a home, asks it once, and closes it. */
import type { Row } from "../../src/store/duckdb.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";

export async function ask(home: Home, sql: string): Promise<Row[]> {
  const lake = await openLake(home);
  try {
    return await lake.query(sql);
  } finally {
    lake.close();
  }
}
