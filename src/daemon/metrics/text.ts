/**
 * Metrics as text: Prometheus' format 0.0.4, or OpenMetrics 1.0. Pure.
 * @module
 */
import { FAMILIES } from "./families.ts";
import type { MetricFamily, Series } from "./family.ts";
import type { Snapshot } from "./snapshot.ts";

/** A form of the text. */
export type MetricsForm = "prometheus" | "openmetrics";

/** Media types. */
export const METRICS_TYPES: Readonly<Record<MetricsForm, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** Chooses the form that somebody prefers. `accept`: the header of HTTP, if there is one. */
export function chooseForm(accept: string | undefined): MetricsForm {
  const weightOf = (type: string) =>
    Math.max(
      0,
      ...(accept ?? "").toLowerCase().split(",").map((range) => range.split(";").map((part) => part.trim()))
        .filter(([name]) => name === type)
        .map(([, ...parameters]) => Number(parameters.find((one) => one.startsWith("q="))?.slice(2) ?? 1)),
    );
  const weight = weightOf("application/openmetrics-text");
  return weight > 0 && weight >= weightOf("text/plain") ? "openmetrics" : "prometheus";
}

/** Writes all families. */
export function formatMetrics(from: Snapshot, form: MetricsForm): string {
  const end = form === "openmetrics" ? "# EOF\n" : "";
  return `${FAMILIES.map((family) => formatFamily(family, from, form)).join("")}${end}`;
}

function formatFamily(family: MetricFamily, from: Snapshot, form: MetricsForm): string {
  const { name, type, help, labels } = family;
  // OpenMetrics names the family of a counter without the end that its series have.
  const title = form === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
  const lines = family.series(from).map((one) =>
    `${name}${one.part?.suffix ?? ""}${formatLabels(labels, one)} ${one.value}\n`
  );
  return `# HELP ${title} ${help}\n# TYPE ${title} ${type}\n${lines.join("")}`;
}

function formatLabels(names: readonly string[], { labels, part }: Series): string {
  const pairs = names.map((name, i) => `${name}="${escape(labels[i])}"`);
  if (part?.suffix === "_bucket") pairs.push(`le="${part.le}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Escapes the name of a rule, which is any text. */
function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
