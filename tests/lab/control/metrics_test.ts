/** Metrics of a running proxy, as Prometheus reads them. */
import assert from "node:assert/strict";
import { formatDashboard } from "../../../src/daemon/metrics/dashboard.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { exchange, openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { PROMETHEUS, Prometheus } from "../../laboratory/control/prometheus.ts";
import { runProgram } from "../../laboratory/program.ts";
import { startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const PLACE = "127.0.0.1:9466";

/** The queries of the dashboard, as Grafana asks them. */
function dashboardQueries(): string[] {
  const { panels } = JSON.parse(formatDashboard()) as { panels: { targets: { expr: string }[] }[] };
  return panels.flatMap(({ targets }) => targets).map(({ expr }) =>
    expr.replaceAll("$__rate_interval", "1m").replaceAll("$router", ".*")
  );
}

labTest(
  "Prometheus reads all metrics, promtool has nothing to say, and the dashboard has data",
  {
    ...PROMETHEUS,
    programs: ["curl", "nginx"],
  },
  async (lab) => {
    const nginx = await startNginx(lab);
    const proxy = await startProxy(lab, {
      config: {
        intercept: { protocols: ["tcp", "udp"] },
        rules: [
          { name: "ads", domains: ["ads.test"], action: "block" },
          { name: 'the "web"\\', ports: [80], action: "direct" },
        ],
        metrics: PLACE,
        upstreams: { office: { type: "socks5", address: `${ADDRESSES[4].server}:1080` } },
      },
    });
    for (const family of [4, 6, 4] as const) assert.equal(await nginx.get(family), "hello\n");
    await lab.client.run(["curl", "-sm5", "-H", "Host: ads.test", nginx.url(4)], { mayFail: true });
    await exchange(openClient(lab, 4, 7000), openServer(lab, 4, 7000));
    const { stdout: text } = await tproxy(lab, ["metrics", "-c", proxy.configPath]);
    const check = [`${PROMETHEUS.programs}/promtool`, "check", "metrics"];
    const { stdout, stderr } = await runProgram(check, { input: text });
    assert.equal(stdout + stderr, "");

    const prometheus = await Prometheus.start(lab, PLACE);
    const value = async (query: string) => Number((await prometheus.query(query)).at(0)?.value[1]);
    await until(async () => await value('tproxy_rule_matches_total{rule="the \\"web\\"\\\\"}') === 3, {
      what: "three flows",
      timeoutMs: 30_000,
    });
    assert.equal(await value('tproxy_connections_closed_total{family="ipv6", reason="closed"}'), 1);
    assert.equal(await value('tproxy_connections_refused_total{reason="rule"}'), 1);
    assert.ok(await value('tproxy_relayed_bytes_total{protocol="udp", family="ipv4", direction="up"}') > 0);
    assert.ok(await value('tproxy_relayed_bytes_total{protocol="tcp", family="ipv6", direction="down"}') > 6);
    assert.equal(await value("tproxy_udp_datagrams_total{direction='down'}"), 1);
    assert.equal(await value('tproxy_sniffs_total{result="http"}'), 1);
    assert.equal(await value('tproxy_sniffs_total{result="none"}'), 3, "an address is no name");
    assert.equal(await value('tproxy_dial_duration_seconds_count{family="ipv6"}'), 1);
    assert.ok(await value('tproxy_dial_duration_seconds_bucket{family="ipv4", le="3"}') >= 2);
    const busy = await value("sum(tproxy_worker_busy_seconds_total)");
    assert.ok(busy > 0 && busy < 20, `the workers, which slept, were busy for ${busy} s`);
    assert.equal(await value("tproxy_rules_in_force"), 1);
    assert.equal(await value("tproxy_upstream_up"), 1);
    assert.ok(await value("process_resident_memory_bytes") > 2e7);
    assert.ok(Math.abs(await value("process_start_time_seconds") - Date.now() / 1000) < 120);
    assert.ok(Math.abs(await value("process_open_fds") - proxy.descriptorCount()) < 10);
    const [{ metric }] = await prometheus.query("up == 1");
    assert.equal(metric.instance, PLACE);
    for (const query of dashboardQueries()) {
      await until(async () => (await prometheus.query(query)).length > 0, { what: query, timeoutMs: 30_000 });
    }
  },
);

labTest(
  "tproxy metrics write replaces a file, and removes it where no proxy answers: exit code 3",
  {},
  async (lab) => {
    const proxy = await startProxy(lab);
    const path = `${lab.directory}/collector/tproxy.prom`;
    const write = () => tproxy(lab, ["metrics", "write", path, "-c", proxy.configPath], { mayFail: true });
    const read = () => /^tproxy_rules_in_force 1$/m.test(Deno.readTextFileSync(path));
    assert.deepEqual([(await write()).code, read()], [0, true]);
    const { ino } = Deno.statSync(path);
    assert.deepEqual([(await write()).code, read(), Deno.statSync(path).mode! & 0o777], [0, true, 0o644]);
    assert.notEqual(Deno.statSync(path).ino, ino, "whoever reads the file could see a part of it");
    const printed = await tproxy(lab, ["metrics", "write", "-", "-c", proxy.configPath]);
    assert.match(printed.stdout, /^tproxy_rules_in_force 1$/m);
    await proxy.program.stop();
    const { code, stderr } = await write();
    assert.equal(code, 3);
    assert.match(stderr, /no proxy answers at /);
    assert.deepEqual([...Deno.readDirSync(`${lab.directory}/collector`)], []);
  },
);

labTest(
  "metrics listens where the config says, as soon as it can, and gives nothing but metrics to nobody's page",
  {
    programs: ["curl", "socat"],
  },
  async (lab) => {
    const former = await lab.router.start(["socat", "TCP-LISTEN:9466,fork", "PIPE"], { listens: 9466 });
    const proxy = await startProxy(lab, { config: { metrics: PLACE } });
    await proxy.program.waitForOutput(
      / warn nobody can read metrics yet metrics=127\.0\.0\.1:9466 reason=.*in use/,
    );
    await former.stop();
    await proxy.program.waitForOutput("metrics can be read");
    const ask = async (...more: string[]) =>
      (await lab.router.run(["curl", "-sSm5", "-w", "%{http_code}", ...more])).stdout;
    const url = `http://${PLACE}`;
    assert.match(await ask(`${url}/metrics`), /^tproxy_rules_in_force 1$[^]*200$/m);
    assert.match(await ask(`${url}/v1/status`), /404$/);
    assert.match(await ask("-X", "POST", "-H", "content-type: application/json", `${url}/v1/reload`), /404$/);
    assert.match(await ask("-H", "Host: evil.example", `${url}/metrics`), /the host must be .*403$/s);
    assert.match(await ask("-H", "Origin: http://evil.example", `${url}/metrics`), /another origin.*403$/s);
    const fromLan = await lab.client.run(["curl", "-sSm5", `http://${ADDRESSES[4].lan}:9466/metrics`], {
      mayFail: true,
    });
    assert.notEqual(fromLan.code, 0);
    const comes = (line: string) =>
      until(async () => (await ask(`${url}/metrics`)).includes(`\n${line}\n`), {
        what: line,
        timeoutMs: 30_000,
      });
    await comes('tproxy_healings_total{object="table"} 0');
    await lab.router.nft("delete table inet transparent_proxy");
    await comes('tproxy_healings_total{object="table"} 1');
    await comes("tproxy_config_last_reload_successful 1");
    lab.writeFile("tproxy.yaml", "rules: 7");
    proxy.program.signal("SIGHUP");
    await comes("tproxy_config_last_reload_successful 0");
    proxy.program.signal("SIGTERM");
    assert.equal(await proxy.program.waitForExit(), 0);
  },
);
