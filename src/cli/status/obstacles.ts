/**
 * Obstacles between the clients and an install, as `status` shows them.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import type { Finding } from "../../doctor/finding.ts";
import { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";

/** Obstacles, and what is said of them. */
export interface ObstacleReport {
  readonly obstacles: readonly Finding[];
  readonly text: string;
}

/** Looks for them; what cannot be known is said. */
export async function reportObstacles(env: Env, loaded: LoadedConfig): Promise<ObstacleReport> {
  const { findObstacles } = await import("../doctor/obstacles.ts");
  try {
    const obstacles = await findObstacles(env, loaded);
    return { obstacles, text: obstacles.map(describe).join("") };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { obstacles: [], text: `in the way: not known: ${error.message}\n` };
  }
}

function describe({ what, cause }: Finding): string {
  return `in the way: ${what}: ${cause}; "tproxy doctor" says what to do\n`;
}
