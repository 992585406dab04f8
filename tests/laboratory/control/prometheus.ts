/**
 * Prometheus and promtool, as Debian has them: unpacked, not installed, since their package would start a
 * service.
 * @module
 */
import { fetchDebianPackages } from "../../../scripts/lib/debian.ts";
import type { Lab } from "../lab.ts";
import type { Namespace } from "../namespace.ts";

const PORT = 9090;

/** The folder of the programs, or the reason why they cannot be had here. */
export const PROMETHEUS: { readonly programs: string; readonly obstacle?: string } = bring();

/** A sample of a query's answer. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** A time, and a number as text. */
  readonly value: readonly [number, string];
}

/** A running Prometheus, which reads `target` each second. */
export class Prometheus {
  readonly #place: Namespace;

  private constructor(place: Namespace) {
    this.#place = place;
  }

  /** Starts it on the router. `target`: address and port there. */
  static async start(lab: Lab, target: string): Promise<Prometheus> {
    const config = lab.writeFile(
      "prometheus.yml",
      JSON.stringify({
        global: { scrape_interval: "1s" },
        scrape_configs: [{ job_name: "tproxy", static_configs: [{ targets: [target] }] }],
      }),
    );
    const program = await lab.router.start([
      `${PROMETHEUS.programs}/prometheus`,
      `--config.file=${config}`,
      `--storage.tsdb.path=${lab.directory}/prometheus`,
      `--web.listen-address=127.0.0.1:${PORT}`,
    ]);
    await program.waitForOutput("Server is ready to receive web requests", { timeoutMs: 60_000 });
    return new Prometheus(lab.router);
  }

  /** Asks for the present value of a query. Throws where it makes no sense. */
  async query(text: string): Promise<readonly Sample[]> {
    const url = `http://127.0.0.1:${PORT}/api/v1/query`;
    const argv = ["curl", "-sSm10", "-G", "--data-urlencode", `query=${text}`, url];
    const { status, error, data } = JSON.parse((await this.#place.run(argv)).stdout);
    if (status !== "success") throw new Error(`${text}: ${error}`);
    return data.result;
  }
}

function bring(): { readonly programs: string; readonly obstacle?: string } {
  try {
    const architecture = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
    return { programs: `${fetchDebianPackages(architecture, ["prometheus"]).get("prometheus")}/usr/bin` };
  } catch (error) {
    return { programs: "", obstacle: `needs Debian's prometheus: ${(error as Error).message}` };
  }
}
