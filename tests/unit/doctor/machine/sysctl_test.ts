import assert from "node:assert/strict";
import { blame, readSysctl, sets } from "../../../../src/doctor/machine/sysctl.ts";
import { memoryFiles } from "../support/machine.ts";

Deno.test("sets() reads lines as sysctl.d(5) has them", () => {
  const name = "net.ipv4.conf.eth0/100.rp_filter";
  const cases: [line: string, expected: boolean][] = [
    ["net.ipv4.conf.eth0/100.rp_filter=1", true],
    ["net/ipv4/conf/eth0.100/rp_filter = 1", true],
    ["  -net.ipv4.conf.*.rp_filter = 1  ", true],
    ["net.ipv4.conf.eth0/100.rp_filter = 2", false],
    ["# net.ipv4.conf.eth0/100.rp_filter = 1", false],
    ["net.ipv4.conf.eth0.rp_filter = 1", false],
    ["net.ipv4.conf.*.src_valid_mark = 1", false],
    ["", false],
  ];
  for (const [line, expected] of cases) {
    assert.equal(sets(`# a comment\n${line}\n`, { name, value: "1" }), expected, line);
  }
});

Deno.test("readSysctl() finds the files that set a value, each once", () => {
  const line = "net.ipv4.conf.all.src_valid_mark = 1\n";
  const files = memoryFiles({
    "/proc/sys/net/ipv4/conf/all/src_valid_mark": "1\n",
    "/etc/sysctl.d/99-tailscale.conf": line,
    "/etc/sysctl.d/99-off.conf": line.replace("1", "0"),
    "/etc/sysctl.d/README": line,
    "/usr/lib/sysctl.d/50-default.conf": line,
    "/lib/sysctl.d/50-default.conf": line,
    "/etc/sysctl.conf": line,
  });
  assert.deepEqual(readSysctl(files, "net.ipv4.conf.all.src_valid_mark"), {
    name: "net.ipv4.conf.all.src_valid_mark",
    value: "1",
    setBy: ["/etc/sysctl.d/99-tailscale.conf", "/usr/lib/sysctl.d/50-default.conf", "/etc/sysctl.conf"],
  });
});

Deno.test("readSysctl() of a name that the kernel has not blames nobody", () => {
  const files = memoryFiles({ "/etc/sysctl.conf": "net.bridge.bridge-nf-call-iptables = 1" });
  const { value, setBy } = readSysctl(files, "net.bridge.bridge-nf-call-iptables");
  assert.deepEqual([value, setBy], [undefined, []]);
});

Deno.test("blame() names the file, else a program that runs, else what it was told", () => {
  const options = {
    programs: ["sshd", "dockerd"],
    suspects: ["kubelet", "dockerd"],
    otherwise: "the default",
  };
  const setting = { name: "x", value: "1", setBy: ["/etc/sysctl.d/a.conf"] };
  assert.equal(blame(setting, options), "set in /etc/sysctl.d/a.conf");
  assert.equal(blame({ ...setting, setBy: [] }, options), "perhaps set by dockerd, which runs here");
  assert.equal(blame({ ...setting, setBy: [] }, { ...options, programs: [] }), "the default");
});
