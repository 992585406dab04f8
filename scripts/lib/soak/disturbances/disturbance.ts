/**
 * The form of a disturbance: what happens to a proxy that runs for years.
 * @module
 */
import type { Scene } from "../scene.ts";

/** One kind. */
export interface Disturbance {
  readonly name: string;
  /** Seconds from one to the next; of an hour's run as of a minute's. */
  readonly everySeconds: number;
  /** Flows that live meanwhile may be lost; they are counted apart. */
  readonly costs: boolean;
  /** Does it, and throws if the proxy has not answered as it should. */
  disturb(scene: Scene): Promise<void>;
}
