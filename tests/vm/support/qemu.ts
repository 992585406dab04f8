/**
 * QEMU's command line for a machine: an emulated processor (never KVM, so that every host gives the same),
 * no network card; a serial console for the kernel, a virtio port for the test.
 * @module
 */
import type { DebianArchitecture } from "../../../scripts/lib/debian.ts";

/** Facts that QEMU needs to know. */
export interface Hardware {
  readonly architecture: DebianArchitecture;
  readonly memoryMb: number;
  readonly processors: number;
  readonly kernel: string;
  readonly initramfs: string;
  /** File that becomes /dev/vda. */
  readonly disk?: string;
  readonly kernelArguments: readonly string[];
  /** File for what the kernel says. */
  readonly console: string;
}

const PROGRAMS = { amd64: "qemu-system-x86_64", arm64: "qemu-system-aarch64" };
const BOARDS = { amd64: ["-machine", "q35"], arm64: ["-machine", "virt"] };
/**
 * All that can be emulated; but pointers are signed in a way that costs a tenth (`-cpu max` alone:
 * architected QARMA).
 */
const PROCESSORS = { amd64: "max", arm64: "max,pauth-impdef=on" };
/**
 * A busy host delivers the first timer interrupts late, which a kernel takes for a broken board: it panics.
 */
const TIMER = { amd64: ["no_timer_check"], arm64: [] };
const CONSOLES = { amd64: "ttyS0", arm64: "ttyAMA0" };

/** Returns the reason why no machine of the architecture can be had here; undefined: QEMU is there. */
export function missingQemu(architecture: DebianArchitecture): string | undefined {
  const program = PROGRAMS[architecture];
  try {
    new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `${program} is not installed here`;
    throw error;
  }
}

/** Program and arguments. The port "control" is QEMU's standard input and output. */
export function qemuCommand(hardware: Hardware): string[] {
  const { architecture } = hardware;
  const kernelArguments = [`console=${CONSOLES[architecture]}`, "quiet", "loglevel=3", "panic=-1"];
  return [
    PROGRAMS[architecture],
    ..."-nodefaults -no-user-config -display none -no-reboot -nic none".split(" "),
    ...BOARDS[architecture],
    ..."-accel tcg,thread=multi".split(" "),
    ...["-smp", `${hardware.processors}`],
    ...["-cpu", PROCESSORS[architecture]],
    ...["-m", `${hardware.memoryMb}M`],
    ...["-kernel", hardware.kernel, "-initrd", hardware.initramfs],
    ...[
      "-append",
      [...kernelArguments, "random.trust_cpu=on", ...TIMER[architecture], ...hardware.kernelArguments].join(
        " ",
      ),
    ],
    ...["-serial", `file:${hardware.console}`],
    ...["-device", "virtio-serial-pci", "-chardev", "stdio,id=control,signal=off"],
    ...["-device", "virtserialport,chardev=control,name=control"],
    ...hardware.disk === undefined ? [] : [
      "-drive",
      `file=${hardware.disk},if=none,id=root,format=raw`,
      "-device",
      "virtio-blk-pci,drive=root",
    ],
  ];
}
