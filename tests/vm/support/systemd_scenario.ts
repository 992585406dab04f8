/**
 * Two boots of a machine with systemd. The scenario asks for a shell in it, nothing else.
 * @module
 */
import assert from "node:assert/strict";
import { FETCH } from "./systemd.ts";

/** A shell as root: a script to its end, and what it printed. */
export interface Shell {
  /** An exit code other than 0 is an error. */
  run(name: string, script: string, options?: { seconds?: number }): Promise<string>;
  /** Any exit code is an answer. */
  try(
    name: string,
    script: string,
    options?: { seconds?: number },
  ): Promise<{ code: number; output: string }>;
}

const UNIT = "/etc/systemd/system/tproxy.service";
const CONFIG = "/etc/tproxy/tproxy.yaml";
/**
 * Sets of capabilities (include/uapi/linux/capability.h): NET_BIND_SERVICE, NET_ADMIN and NET_RAW, the second
 * of which is left to the process that changes the kernel's rules.
 */
const CAPABILITIES = { unit: "0000000000003400", proxy: "0000000000002400", netlink: "0000000000001000" };

/** Waits until a shell command succeeds, asked twice a second. */
async function until(vm: Shell, what: string, condition: string, seconds: number): Promise<void> {
  const loop = `for i in $(seq ${seconds * 2}); do if ${condition}; then exit 0; fi; sleep 0.5; done
systemctl status tproxy --no-pager -n 0; dmesg | tail -40; exit 1`;
  await vm.run(`until ${what}`, loop, { seconds: seconds * 2 + 60 });
}

/** One property of the service, as systemctl shows it. */
async function show(vm: Shell, property: string): Promise<string> {
  return await vm.run(`show ${property}`, `systemctl show tproxy -P ${property}`);
}

const statusText = "systemctl show tproxy -P StatusText";
const isActive = "systemctl -q is-active tproxy";
/** Off while a proxy runs, which the sandbox has to allow. */
const EARLY_DEMUX = "/proc/sys/net/ipv4/tcp_early_demux";
/** All that install may leave in the kernel. */
const SNAPSHOT = ["rule", "-6 rule", "-4 route show table all"]
  .map((words) => `/usr/sbin/ip ${words}`).concat("nft list ruleset", `cat ${EARLY_DEMUX}`).join("; ");

/**
 * From `install --boot auto` to `uninstall`, with a crash, a hang, and what stop and disable leave; at its
 * end it is set up.
 */
export async function tryFirstBoot(vm: Shell): Promise<void> {
  await until(vm, "the network is up", "systemctl -q is-active network-up", 60);
  const before = await vm.run("snapshot", SNAPSHOT);
  // .pwd.lock is systemd's, who makes the user.
  const files = "find /etc /lib/systemd ! -name .pwd.lock | sort";
  const filesBefore = await vm.run("files", files);

  const said = await vm.run("install", "tproxy install --boot auto", { seconds: 120 });
  assert.match(said, /^Started at boot by systemd\.$/m);
  assert.match(said, new RegExp(`^ {2}written {4}${UNIT}$`, "m"));
  assert.match(said, /^ {2}next {7}systemctl start tproxy$/m);
  await vm.run("enabled", "systemctl -q is-enabled tproxy");
  assert.equal((await vm.try("not started", isActive)).code, 3);
  assert.notEqual((await vm.try("not through", FETCH)).code, 0);

  // Type=notify: start returns when the proxy has said READY=1.
  await vm.run("start", "systemctl start tproxy", { seconds: 180 });
  await vm.run("traffic", FETCH);
  assert.match(await show(vm, "StatusText"), /\S/);
  const pid = await show(vm, "MainPID");
  const process = await vm.run(
    "process",
    `grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/${pid}/status`,
  );
  assert.match(process, /^Uid:\t(6[1-5]\d{3})\t/m, process);
  assert.match(process, new RegExp(`^CapEff:\t${CAPABILITIES.proxy}$`, "m"));
  assert.match(process, new RegExp(`^CapBnd:\t${CAPABILITIES.unit}$`, "m"));
  assert.match(process, /^NoNewPrivs:\t1\nSeccomp:\t2$/m);
  const children = await vm.run(
    "children",
    `cat $(sed 's|[0-9][0-9]*|/proc/&/status|g' /proc/${pid}/task/${pid}/children) | grep -E '^(Name|CapPrm|CapEff):'`,
  );
  assert.match(
    children,
    new RegExp(
      `^Name:\ttproxy-netlink\nCapPrm:\t${CAPABILITIES.netlink}\nCapEff:\t${CAPABILITIES.netlink}$`,
      "m",
    ),
  );
  assert.match(children, /^Name:\ttproxy-files\nCapPrm:\t0{16}\nCapEff:\t0{16}$/m);
  assert.match(
    await vm.run("status", "tproxy status"),
    /proxy: running[\s\S]*privileges: uid 6[1-5]\d{3}, caps net_raw,net_bind_service, seccomp [1-9][\s\S]*^boot: systemd, enabled \(\/etc\/systemd\/system\/tproxy\.service\)$/m,
  );

  // The signal comes from the service's own user, inside the sandbox.
  await vm.run("a bad config", `cp ${CONFIG} /tmp/good && echo "source: nobody" >>${CONFIG}`);
  assert.notEqual((await vm.try("reload", "systemctl reload tproxy")).code, 0);
  await until(
    vm,
    "it refuses the config",
    `${statusText} | grep -q 'NOT RELOADED.*tproxy.yaml:[0-9]*:9: '`,
    20,
  );
  await vm.run("the good config again", `cat /tmp/good >${CONFIG} && systemctl reload tproxy`);
  await until(vm, "it takes the config", `! ${statusText} | grep -q 'NOT RELOADED'`, 20);
  assert.equal(await show(vm, "ActiveState"), "active");
  assert.equal(await show(vm, "MainPID"), pid);
  await vm.run("traffic after reloads", FETCH);

  await vm.run("kill -9", `kill -9 ${pid}`);
  await until(vm, "it runs again", `${isActive} && [ "$(systemctl show tproxy -P NRestarts)" = 1 ]`, 60);
  assert.notEqual(await show(vm, "MainPID"), pid);
  await vm.run("traffic after kill -9", FETCH);
  assert.equal((await vm.run("early demux", `cat ${EARLY_DEMUX}`)).trim(), "0");

  const second = await show(vm, "MainPID");
  await vm.run("SIGSTOP", `kill -STOP ${second}`);
  await until(
    vm,
    "the watchdog has ended it",
    `${isActive} && [ "$(systemctl show tproxy -P NRestarts)" = 2 ]`,
    90,
  );
  await vm.run("traffic after the watchdog", FETCH);

  await vm.run("rules are lost", "nft delete table inet transparent_proxy");
  await vm.run("restart", "systemctl restart tproxy", { seconds: 120 });
  await vm.run("traffic after a restart", FETCH);

  // A service that is stopped keeps its rules; one that is disabled leaves nothing.
  await vm.run("stop", "systemctl stop tproxy", { seconds: 60 });
  assert.equal(await show(vm, "Result"), "success");
  assert.match(await vm.run("rules stay", "tproxy status"), /installed: yes[\s\S]*proxy: not running/);
  await vm.run("start again", "systemctl start tproxy", { seconds: 120 });
  await vm.run("disable --now", "systemctl disable --now tproxy", { seconds: 60 });
  assert.equal(await vm.run("nothing is left", SNAPSHOT), before);

  await vm.run("install again", "tproxy install --boot systemd && systemctl start tproxy", { seconds: 180 });
  await vm.run("traffic again", FETCH);
  const gone = await vm.run("uninstall", "tproxy uninstall", { seconds: 60 });
  assert.match(gone, new RegExp(`^ {2}removed {2}${UNIT}$`, "m"));
  assert.equal((await vm.try("ended", isActive)).code, 3);
  assert.equal(await vm.run("nothing in the kernel", SNAPSHOT), before);
  assert.equal(await vm.run("no file", files), filesBefore);

  await vm.run("for the next boot", "tproxy install --boot auto && sync", { seconds: 60 });
}

/** Tries a proxy that runs by itself, and removes it for good. */
export async function trySecondBoot(vm: Shell): Promise<void> {
  await until(vm, "it runs", isActive, 120);
  await vm.run("traffic", FETCH);
  await vm.run("uninstall", "tproxy uninstall", { seconds: 60 });
  assert.notEqual((await vm.try("not through", FETCH)).code, 0);
  await vm.run("gone", `[ ! -e ${UNIT} ]`);
}
