// The proxy in a few words, and what is wrong with it.
import { formatAge, formatAmount, makeSafe } from "./words.js";

const SVG_POINTS = 60;

/** Draws values of the last minute into a picture of 59 by 16. */
export function drawLine(polyline, values) {
  const most = Math.max(...values, 1);
  const first = SVG_POINTS - values.length;
  const points = values.map((value, i) => `${first + i},${(15.5 - 15 * value / most).toFixed(1)}`);
  polyline.setAttribute("points", points.join(" "));
}

/** Sets a text where it is another: nothing is read aloud or drawn again that is the same. */
export function setText(element, text) {
  const safe = makeSafe(text);
  if (element.textContent !== safe) element.textContent = safe;
}

/** Shows the proxy. */
export function showSummary({ summary, traffic, reason }, inBits) {
  const byId = (id) => document.getElementById(id);
  const warnings = summary === null ? [] : warningsOf(summary);
  if (reason !== "") warnings.unshift(reason);
  byId("warning").hidden = warnings.length === 0;
  setText(byId("warning"), warnings.join(" · "));
  if (summary === null) return;
  const { host, program } = summary;
  document.title = `${makeSafe(host)} – tproxy`;
  setText(byId("host"), `tproxy ${program} on ${host}`);
  setText(
    byId("rates"),
    `↓ ${formatAmount(traffic.down, inBits)}/s  ↑ ${formatAmount(traffic.up, inBits)}/s`,
  );
  drawLine(document.querySelector("#load polyline"), traffic.history);
  showFacts(byId("summary"), factsOf(summary));
}

function factsOf(summary) {
  const { phase, now, started, config, generation, workers, connections, udpSessions, rates, rules } =
    summary;
  const { maxConnections, maxUdpSessions } = summary;
  return {
    State: phase,
    Up: formatAge(now - started),
    Config: generation === 1 ? config : `${config} (generation ${generation})`,
    Workers: String(workers),
    TCP: `${connections} of ${maxConnections}`,
    UDP: `${udpSessions} of ${maxUdpSessions}`,
    New: `${rates.accepted.toFixed(rates.accepted < 10 ? 1 : 0)}/s`,
    Kernel: rules,
  };
}

function warningsOf({ hanging, refused, down }) {
  return [
    ...hanging.length > 0 ? [`HANGS: worker ${hanging.join(", ")}`] : [],
    ...refused === null ? [] : [`NOT RELOADED: ${refused}`],
    ...down.length > 0 ? [`NOT UP: ${down.join(", ")}`] : [],
  ];
}

function showFacts(list, facts) {
  for (const [i, [term, text]] of Object.entries(facts).entries()) {
    if (list.children[i] === undefined) {
      const pair = document.createElement("div");
      pair.append(document.createElement("dt"), document.createElement("dd"));
      list.append(pair);
    }
    const [dt, dd] = list.children[i].children;
    setText(dt, term);
    setText(dd, text);
  }
}
