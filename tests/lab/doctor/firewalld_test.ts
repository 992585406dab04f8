/** The real firewalld: doctor speaks its language, and what it says to do helps. */
import assert from "node:assert/strict";
import { doctor, echoes, findTrouble } from "../../laboratory/proxy/doctor.ts";
import { type ConfigText, startProxy } from "../../laboratory/proxy/proxy.ts";
import { packagesObstacle, PYTHON, unpackPackages } from "../../laboratory/programs/debian_program.ts";
import { labTest } from "../../laboratory/register.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { until } from "../../laboratory/machine/wait.ts";
import type { Lab } from "../../laboratory/lab.ts";
import type { Outcome } from "../../laboratory/program.ts";

const PACKAGES = ["firewalld", "python3-firewall", "python3-nftables"];
const NEEDS = {
  programs: ["socat", "dbus-daemon"],
  ...packagesObstacle(PACKAGES, ["dbus", "gi"]),
};

const BUS = (socket: string) =>
  `<busconfig><type>system</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/></policy></busconfig>`;

/** Runs words in a shell in which firewall-cmd speaks to the firewalld of this laboratory. */
type Shell = (words: string) => Promise<Outcome>;

/** Starts it, the LAN in the zone internal and the WAN in external, on a bus of its own. */
async function startFirewalld(lab: Lab): Promise<Shell> {
  const root = await unpackPackages(lab, PACKAGES);
  const socket = `${lab.directory}/bus`;
  const env = {
    DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${socket}`,
    PYTHONPATH: `${root}/usr/lib/python3/dist-packages`,
  };
  const bus = lab.writeFile("bus.conf", BUS(socket));
  await lab.router.start(["dbus-daemon", `--config-file=${bus}`, "--nofork"], { env });
  await until(() => exists(socket), { what: "the bus" });
  const mounted = ["unshare", "-m", "sh", "-ec", `mount -t tmpfs firewalld /run; exec "$@"`, "firewalld"];
  await lab.router.start([
    ...mounted,
    PYTHON,
    `${root}/usr/sbin/firewalld`,
    "--nofork",
    "--nopid",
    `--system-config=${root}/etc/firewalld`,
    `--default-config=${root}/usr/lib/firewalld`,
  ], { env });
  const tool = `firewall-cmd() { ${PYTHON} ${root}/usr/bin/firewall-cmd "$@"; }`;
  const shell: Shell = (words) => lab.router.run(["bash", "-ec", `${tool}\n${words}`], { env });
  await until(() => shell("firewall-cmd --state").then(() => true, () => false), {
    what: "firewalld",
    pollMs: 200,
  });
  await shell(`firewall-cmd --permanent --zone=internal --change-interface=r0
    firewall-cmd --permanent --zone=external --change-interface=r1
    firewall-cmd --reload`);
  return shell;
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSocket === true;
  } catch {
    return false;
  }
}

for (const admission of ["forward-path", "early"] as const) {
  labTest(`doctor tells firewalld what to accept, in its own words, ${admission}`, NEEDS, async (lab) => {
    const config: ConfigText = { intercept: { admission, ports: [7000] } };
    await serve(lab, 7000, "cat");
    await startProxy(lab, { config });
    const shell = await startFirewalld(lab);
    assert.deepEqual(await echoes(lab), [false, false]);
    const report = await doctor(lab, { config });
    const id = admission === "early" ? "input-chains" : "forward-chains";
    const blocking = report.troubles.filter((trouble) => trouble.startsWith("!"));
    assert.deepEqual(blocking, [`! warning ${id}`]);
    const { cause, remedy } = findTrouble(report, id);
    assert.match(cause, /; firewalld made it$/);
    // Its advice is commands, behind a reason.
    await shell(remedy.replace(/^.*?: (?=firewall-cmd)/, ""));
    assert.deepEqual(await echoes(lab), [true, true], remedy);
    assert.equal((await doctor(lab, { config })).ready, true, remedy);
  });
}
