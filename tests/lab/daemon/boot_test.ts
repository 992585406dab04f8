/**
 * The start at boot with the machine's own programs, in a mount namespace whose /etc, /usr/share and /run are
 * thrown away: systemctl enables without a running systemd, nft reads the include of fw4.
 */
import assert from "node:assert/strict";
import { backendPrograms, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import type { Lab } from "../../laboratory/lab.ts";
import type { Outcome } from "../../laboratory/program.ts";
import { labTest } from "../../laboratory/register.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";

const UNIT = "/etc/systemd/system/tproxy.service";
const LINK = "/etc/systemd/system/multi-user.target.wants/tproxy.service";

/** The program's path in boot files: its real one may not survive a boot, which install refuses. */
const SELF = "/usr/bin/tproxy-of-the-laboratory";

/** Puts the product there; the source program is only said to be there. */
function placeProgram(): string {
  const command = tproxyCommand();
  if (command.length === 1) return `cp '${command[0]}' ${SELF}\ntproxy() { ${SELF} "$@"; }`;
  return `export TPROXY_SELF=${SELF}
printf '#!/bin/sh\\nexec "$@"\\n' >${SELF}
chmod 755 ${SELF}
tproxy() { ${command.map((word) => `'${word}'`).join(" ")} "$@"; }`;
}

/** Runs a shell script in the router, with the folders above to its own, and `tproxy`. */
function runApart(lab: Lab, script: string, { mayFail = false } = {}): Promise<Outcome> {
  const layers = ["/etc", "/usr/share", "/usr/bin"].map((path, i) =>
    `mkdir -p /mnt/${i}/up /mnt/${i}/work
mount -t overlay -o lowerdir=${path},upperdir=/mnt/${i}/up,workdir=/mnt/${i}/work apart ${path}`
  );
  const text = `set -e
mount --make-rprivate /
mount -t tmpfs apart /mnt
${layers.join("\n")}
mount -t tmpfs apart /run
${placeProgram()}
${script}`;
  return lab.router.run(["unshare", "--mount", "sh", "-c", text], {
    mayFail,
    timeoutMs: 60_000,
    ...backendPrograms(lab),
  });
}

labTest("install --boot systemd is enabled by systemctl, and uninstall leaves no file", {}, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const config = writeConfig(lab);
  const { stdout } = await runApart(
    lab,
    `
    cp ${config} /etc/tproxy-laboratory.yaml
    chmod 644 /etc/tproxy-laboratory.yaml
    find /etc | sort >/mnt/before
    tproxy install --boot systemd -c /etc/tproxy-laboratory.yaml
    echo "link: $(readlink ${LINK})"
    systemctl is-enabled tproxy
    tproxy status -c /etc/tproxy-laboratory.yaml
    tproxy uninstall
    find /etc | sort | diff /mnt/before - && echo "as before"
  `,
  );
  assert.match(
    stdout,
    /^Started at boot by systemd\.\n {2}written {4}\/etc\/systemd\/system\/tproxy\.service$/m,
  );
  assert.match(stdout, new RegExp(`^link: ${UNIT}\nenabled$`, "m"));
  assert.match(stdout, new RegExp(`^boot: systemd, enabled \\(${UNIT}\\)$`, "m"));
  assert.match(stdout, new RegExp(`^ {2}removed {2}${UNIT}$[\\s\\S]*^as before$`, "m"));
  assert.equal(await snapshotKernel(lab.router), before);
});

labTest("the start at boot waits for the confirmation of a trial", {
  netlinkOnly: "tests/lab/confirm tries trials of iptables",
}, async (lab) => {
  const config = writeConfig(lab);
  const { stdout } = await runApart(
    lab,
    `
    cp ${config} /etc/tproxy-laboratory.yaml
    chmod 644 /etc/tproxy-laboratory.yaml
    find /etc | sort >/mnt/before
    tproxy install --boot systemd --confirm 10m -c /etc/tproxy-laboratory.yaml
    find /etc | sort | diff /mnt/before - && echo "no file"
    tproxy confirm --force
    systemctl is-enabled tproxy
    tproxy uninstall
    find /etc | sort | diff /mnt/before - && echo "as before"
  `,
  );
  assert.match(stdout, /: tproxy confirm; that sets up the start at boot too\nno file\nConfirmed/);
  assert.match(stdout, /^Started at boot by systemd\.\n[^]*^enabled\n[^]*^as before$/m);
});

labTest("install --boot leaves nothing when the kernel refuses the rules", {}, async (lab) => {
  const config = writeConfig(lab);
  const { stdout, stderr } = await runApart(
    lab,
    `
    cp ${config} /etc/tproxy-laboratory.yaml
    chmod 644 /etc/tproxy-laboratory.yaml
    find /etc | sort >/mnt/before
    nft 'table inet transparent_proxy { }' # somebody else's
    ! tproxy install --boot systemd -c /etc/tproxy-laboratory.yaml || exit 1
    nft delete table inet transparent_proxy
    find /etc | sort | diff /mnt/before - && echo "as before"
  `,
  );
  assert.match(stderr, /transparent_proxy/);
  assert.match(stdout, /^as before$/m);
});

labTest("nft takes the include of fw4, and it lets packets for the proxy pass", {}, async (lab) => {
  const config = writeConfig(lab);
  const { stdout } = await runApart(
    lab,
    `
    touch /etc/rc.common /etc/openwrt_release
    mkdir -p /usr/share/nftables.d /etc/init.d
    cp ${config} /etc/tproxy-laboratory.yaml
    tproxy install --dry-run --boot openwrt -c /etc/tproxy-laboratory.yaml >/mnt/script
    sed -n '/^# The start at boot/,$p' /mnt/script | grep -v '^/etc/init.d/tproxy enable$' | sh -e
    cat >/mnt/fw4.nft <<'END'
    table inet fw4 {
      chain input {
        type filter hook input priority filter; policy drop;
        include "/usr/share/nftables.d/chain-pre/input/20-tproxy.nft"
      }
    }
END
    nft -f /mnt/fw4.nft
    nft list chain inet fw4 input
    tproxy doctor -c /etc/tproxy-laboratory.yaml | grep fw4
    nft flush chain inet fw4 input
    ! tproxy doctor -c /etc/tproxy-laboratory.yaml | grep -A1 fw4 >/mnt/without
    sed 's/^/without: /' /mnt/without
    nft delete table inet fw4
    ls -l /etc/init.d/tproxy
    sh -n /etc/init.d/tproxy
  `,
  );
  assert.match(
    stdout,
    /meta l4proto \{ tcp, udp \} meta mark & 0x00000001 == 0x00000001 accept comment "tproxy"/,
  );
  assert.match(stdout, /^ {2}works .* firewall: chain input of table inet fw4 accepts$/m);
  assert.match(stdout, /^without: .*\nwithout: .*It drops packets that are delivered to the proxy/m);
  assert.match(stdout, /^-rwxr-xr-x .*\/etc\/init\.d\/tproxy$/m);
});
