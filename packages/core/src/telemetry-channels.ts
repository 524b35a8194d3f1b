import { type DiagnosticsChannel, diagnosticsChannel } from './platform.ts'
import type { Runtime } from './refs.ts'
import type { Relay, TelemetryEvents } from './telemetry.ts'

type Name = keyof TelemetryEvents

/**
 * What arrives on the channel `genstage:<event>` of `node:diagnostics_channel`: the event, and the runtime that it happened in,
 * because all runtimes of a process share these channels.
 *
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 *
 * subscribe('genstage:exited', message => {
 *   const { name, reason, runtime } = message as TelemetryMessage<'exited'>
 *   runtime.logger.info(`${name} ended: ${reason.type}`)
 * })
 * ```
 */
export type TelemetryMessage<Event extends keyof TelemetryEvents = keyof TelemetryEvents> = TelemetryEvents[Event][0] & {
  readonly runtime: Runtime
}

const names: Readonly<Record<Name, true>> = {
  started: true,
  exited: true,
  restarted: true,
  subscribed: true,
  cancelled: true,
  asked: true,
  dispatched: true,
  buffered: true,
  discarded: true,
  redelivered: true,
  handled: true,
  failed: true,
}

interface Channels {
  readonly byName: ReadonlyMap<string, DiagnosticsChannel>
  readonly all: readonly DiagnosticsChannel[]
}

/** Made with the first runtime, and held: a channel that nobody holds is another one when it is next asked for. */
let channels: Channels | undefined

function processChannels(): Channels {
  if (channels !== undefined) return channels
  const byName = new Map<string, DiagnosticsChannel>()
  for (const name of Object.keys(names)) {
    const channel = diagnosticsChannel(`genstage:${name}`)
    if (channel !== undefined) byName.set(name, channel)
  }
  channels = { byName, all: [...byName.values()] }
  return channels
}

/** Publishes the telemetry of one runtime on the channels of the process. Where there are none, nobody ever hears. */
export class TelemetryChannels implements Relay {
  readonly #runtime: Runtime
  readonly #channels: Channels = processChannels()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  get isHeard(): boolean {
    for (const channel of this.#channels.all) if (channel.hasSubscribers) return true
    return false
  }

  pass<Event extends Name>(name: Event, event: TelemetryEvents[Event][0]): void {
    const channel = this.#channels.byName.get(name)
    if (channel?.hasSubscribers !== true) return
    // In this order: a spread that comes first takes six times as long
    const message: TelemetryMessage = { runtime: this.#runtime, ...event }
    channel.publish(message)
  }
}
