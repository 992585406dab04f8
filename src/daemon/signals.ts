/**
 * The signals of a proxy: the first SIGTERM or SIGINT lets live connections end, a second one does not,
 * SIGHUP reloads. Those that come while it starts wait.
 * @module
 */

/** Actions that signals bring about. */
export interface SignalActions {
  /** Begins to drain. Returns how long live connections are given, milliseconds. */
  drain(): number;
  /** Drained long enough, or told again. `again`: by a signal. */
  stop(again: boolean): void;
}

const END_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** SIGTERM and SIGINT, from the first moment of a process on. */
export interface EndSignals {
  /** Acts on each from now on, and on one that has come before. */
  obey(actions: SignalActions): void;
  end(): void;
}

/**
 * Follows the signals until it is ended. A proxy that is told to end while it starts leaves nothing behind if
 * it ends as one that has started; a second signal ends it at once, as it would without a listener.
 */
export function followEndSignals(): EndSignals {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let actions: SignalActions | undefined;
  let told = false;
  const listeners = END_SIGNALS.map((signal) => ({ signal, listen: () => onEnd(signal) }));
  function onEnd(signal: Deno.Signal): void {
    const isFirst = !told;
    told = true;
    if (actions !== undefined) return isFirst ? drain(actions) : actions.stop(true);
    if (isFirst) return;
    end();
    Deno.kill(Deno.pid, signal);
  }
  function drain({ drain, stop }: SignalActions): void {
    timer = setTimeout(() => stop(false), drain());
  }
  function end(): void {
    clearTimeout(timer);
    for (const { signal, listen } of listeners) Deno.removeSignalListener(signal, listen);
  }
  for (const { signal, listen } of listeners) Deno.addSignalListener(signal, listen);
  return {
    obey(given) {
      actions = given;
      if (told) drain(given);
    },
    end,
  };
}

/** SIGHUP, from the first moment of a process on. */
export interface HangUps {
  /** Acts on each from now on, and once on all that have come before. */
  obey(reload: () => void): void;
  end(): void;
}

/**
 * Follows SIGHUP until it is ended. The end of an SSH session sends it to all that was started there, and a
 * service manager may ask a proxy to reload that has not started yet: without a listener it ends the process.
 */
export function followHangUps(): HangUps {
  let waiting = false;
  let act: () => void = () => {
    waiting = true;
  };
  const onHangUp = () => act();
  Deno.addSignalListener("SIGHUP", onHangUp);
  return {
    obey(reload) {
      act = reload;
      if (waiting) reload();
    },
    end: () => Deno.removeSignalListener("SIGHUP", onHangUp),
  };
}
