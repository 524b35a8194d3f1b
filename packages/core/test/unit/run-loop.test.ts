import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { ChannelMailbox, FifoMailbox, type Mailbox } from '../../src/mailbox.ts'
import type { Address } from '../../src/protocol.ts'
import { RunLoop, type Runnable } from '../../src/run-loop.ts'
import type { Choice, Scheduler } from '../../src/scheduler.ts'

/** The machine that a loop runs on, moved by hand. */
class Machine implements Clock, Scheduler {
  time = 0
  readonly scheduled: (() => void)[] = []
  readonly yielded: (() => void)[] = []

  now(): number {
    return this.time
  }

  wallTime(): number {
    return this.time
  }

  setTimer(): never {
    throw new Error('a loop sets no timers')
  }

  schedule(work: () => void): void {
    this.scheduled.push(work)
  }

  yieldTo(work: () => void): void {
    this.yielded.push(work)
  }

  /** Runs what is due before the event loop comes round. */
  microtasks(): void {
    for (let work = this.scheduled.shift(); work !== undefined; work = this.scheduled.shift()) work()
  }

  /** The event loop comes round: timers and I/O have had their turn. */
  comeRound(): void {
    for (const work of this.yielded.splice(0)) work()
    this.microtasks()
  }
}

/** Something with turns, which handles `messages` messages. */
class Worker implements Runnable {
  readonly id: string
  readonly mailbox: Mailbox
  hasWorkInHand = false
  /** How many messages each turn handled. */
  readonly turns: number[] = []
  left: number
  readonly #onMessage: (worker: Worker) => void

  constructor(
    id: string,
    messages: number,
    onMessage: (worker: Worker) => void = () => {},
    mailbox: Mailbox = new FifoMailbox(),
  ) {
    this.id = id
    this.left = messages
    this.mailbox = mailbox
    this.#onMessage = onMessage
  }

  turn(steps: number): boolean {
    const handled = Math.min(steps, this.left)
    this.turns.push(handled)
    for (let step = 0; step < handled; step++) {
      this.left--
      this.#onMessage(this)
    }
    return this.left > 0
  }
}

describe('RunLoop', () => {
  it('GS-J1 gives no turn inside of the call that wakes', () => {
    const machine = new Machine()
    const worker = new Worker('a', 1)
    new RunLoop(machine, machine, 2).wake(worker)
    expect(worker.turns).toEqual([])
    machine.microtasks()
    expect(worker.turns).toEqual([1])
  })

  it('gives turns in the order in which they were asked for, and the next turn when all others had one', () => {
    const machine = new Machine()
    const loop = new RunLoop(machine, machine, 2)
    const order: string[] = []
    const tell = (worker: Worker): void => void (order.at(-1) === worker.id || order.push(worker.id))
    for (const [id, messages] of [
      ['a', 70],
      ['b', 20],
      ['c', 40],
    ] as const)
      loop.wake(new Worker(id, messages, tell))
    machine.microtasks()
    expect(order).toEqual(['a', 'b', 'c', 'a', 'c', 'a'])
  })

  it('GS-J18 gives a busy stage small turns: no more than some dozen messages at a time', () => {
    const machine = new Machine()
    const worker = new Worker('a', 1_000)
    new RunLoop(machine, machine, Infinity).wake(worker)
    machine.microtasks()
    expect(worker.left).toBe(0)
    expect(Math.max(...worker.turns)).toBeLessThanOrEqual(64)
  })

  it('schedules one run for all that wake before it, and one more for who wakes after it', () => {
    const machine = new Machine()
    const loop = new RunLoop(machine, machine, 2)
    loop.wake(new Worker('a', 1))
    loop.wake(new Worker('b', 1))
    expect(machine.scheduled).toHaveLength(1)
    machine.microtasks()
    const late = new Worker('c', 1)
    loop.wake(late)
    expect(machine.scheduled).toHaveLength(1)
    machine.microtasks()
    expect(late.turns).toEqual([1])
  })

  it('gives a turn in the same run to who is woken by a turn', () => {
    const machine = new Machine()
    const loop = new RunLoop(machine, machine, 2)
    const second = new Worker('b', 1)
    loop.wake(new Worker('a', 1, () => loop.wake(second)))
    machine.microtasks()
    expect(second.turns).toEqual([1])
    expect(machine.scheduled).toHaveLength(0)
  })

  it('tells of every slice before its first turn, however many runs it has', () => {
    const machine = new Machine()
    const order: string[] = []
    const loop = new RunLoop(machine, machine, 2, () => order.push('slice'))
    const run = (id: string) => {
      loop.wake(new Worker(id, 1, () => order.push(id)))
      machine.microtasks()
    }
    run('a')
    run('b')
    machine.comeRound()
    run('c')
    expect(order).toEqual(['slice', 'a', 'b', 'slice', 'c'])
  })

  it('INV-16 handles a million messages without growing the stack', () => {
    const machine = new Machine()
    const loop = new RunLoop(machine, machine, Infinity)
    const worker = new Worker('a', 1_000_000)
    loop.wake(worker)
    machine.microtasks()
    while (worker.left > 0) machine.comeRound()
    expect(worker.turns.reduce((sum, handled) => sum + handled, 0)).toBe(1_000_000)
  })

  it('U27 GS-J1 lets the event loop through while 100,000 messages wait: no slice is much longer than it may be', () => {
    const machine = new Machine()
    const loop = new RunLoop(machine, machine, 2)
    const worker = new Worker('a', 100_000, () => {
      machine.time += 0.001
    })
    loop.wake(worker)
    const slices: number[] = []
    let began = machine.time
    machine.microtasks()
    while (worker.left > 0) {
      slices.push(machine.time - began)
      began = machine.time
      machine.comeRound()
    }
    expect(slices.length).toBeGreaterThan(25)
    // The clock is looked at once in so many turns, which is what a slice may be longer
    for (const length of slices) expect(length).toBeLessThan(4)
  })

  it('U27 lets it through although the clock stands still', () => {
    const machine = new Machine()
    const loop = new RunLoop(machine, machine, 2)
    const worker = new Worker('a', 2_000_000)
    loop.wake(worker)
    machine.microtasks()
    expect(worker.left).toBeGreaterThan(0)
    const left = worker.left
    machine.comeRound()
    expect(worker.left).toBeLessThan(left)
  })

  it('U27 counts short runs of one turn of the event loop as one slice: two stages that wake each other hold nothing off', () => {
    const machine = new Machine()
    const loop = new RunLoop(machine, machine, 2)
    const wakeLater = (other: Worker): void => {
      machine.time += 0.01
      other.left = 1
      machine.schedule(() => loop.wake(other)) // as a promise that settles
    }
    const ping: Worker = new Worker('ping', 1, () => wakeLater(pong))
    const pong: Worker = new Worker('pong', 0, () => wakeLater(ping))
    loop.wake(ping)
    machine.microtasks()
    expect(machine.time).toBeGreaterThanOrEqual(2)
    expect(machine.time).toBeLessThan(3)
    const before = machine.time
    machine.comeRound()
    expect(machine.time - before).toBeGreaterThanOrEqual(2)
    expect(machine.time - before).toBeLessThan(3)
  })

  it('asks once for the event loop in each slice', () => {
    const machine = new Machine()
    const loop = new RunLoop(machine, machine, 2)
    for (let index = 0; index < 5; index++) {
      loop.wake(new Worker('a', 40))
      machine.microtasks()
    }
    expect(machine.yielded).toHaveLength(1)
    machine.comeRound()
    expect(machine.yielded).toHaveLength(0)
  })

  it('keeps the order of turns over the end of a slice', () => {
    const machine = new Machine()
    const loop = new RunLoop(machine, machine, 0)
    const order: string[] = []
    const tell = (worker: Worker): void => void (order.at(-1) === worker.id || order.push(worker.id))
    const workers = Array.from({ length: 200 }, (_, index) => new Worker(`w${index}`, 40, tell))
    for (const worker of workers) loop.wake(worker)
    machine.microtasks()
    expect(order.length).toBeLessThan(200)
    while (workers.some(worker => worker.left > 0)) machine.comeRound()
    const ids = workers.map(worker => worker.id)
    expect(order).toEqual([...ids, ...ids])
  })

  it('wakes who was woken while the slice is used up when the event loop has come round', () => {
    const machine = new Machine()
    const loop = new RunLoop(machine, machine, 0)
    const busy = new Worker('busy', 10_000)
    loop.wake(busy)
    machine.microtasks()
    expect(busy.left).toBeGreaterThan(0)
    const late = new Worker('late', 1)
    loop.wake(late)
    machine.microtasks()
    expect(late.turns).toEqual([])
    machine.comeRound()
    expect(late.turns).toEqual([1])
  })
})

/** A stage whose messages are in channels, and which tells what it handled. */
class Channelled implements Runnable {
  readonly id: string
  readonly mailbox: ChannelMailbox
  hasWorkInHand = false
  readonly #handled: string[]

  constructor(id: string, handled: string[], ...senders: readonly string[]) {
    this.id = id
    this.mailbox = new ChannelMailbox(this)
    this.#handled = handled
    for (const sender of senders)
      this.mailbox.push({ type: 'ask', from: { id: sender } as Address, subscription: sender, demand: 1 })
  }

  turn(steps: number): boolean {
    expect(steps).toBe(1)
    if (this.hasWorkInHand) {
      this.hasWorkInHand = false
      this.#handled.push(`${this.id} goes on`)
    } else {
      const message = this.mailbox.shift()
      this.#handled.push(
        message !== undefined && 'subscription' in message ? `${this.id} from ${message.subscription}` : `${this.id} sleeps`,
      )
    }
    return this.mailbox.length > 0
  }
}

class Simulation extends Machine {
  readonly offered: (readonly Choice[])[] = []
  readonly #indexes: number[]

  constructor(...indexes: readonly number[]) {
    super()
    this.#indexes = [...indexes]
  }

  choose(choices: readonly Choice[]): number {
    this.offered.push(choices)
    return this.#indexes.shift() ?? 0
  }
}

describe('RunLoop with a scheduler that chooses', () => {
  it('GS-A2 offers every stage with every sender that waits, one message at a time', () => {
    const simulation = new Simulation()
    const loop = new RunLoop(simulation, simulation, 2)
    const handled: string[] = []
    loop.wake(new Channelled('x', handled, 'a', 'b', 'a'))
    loop.wake(new Channelled('y', handled, 'a'))
    simulation.scheduled.shift()?.()
    expect(simulation.offered).toEqual([
      [
        { stage: 'x', sender: 'a', message: 'ask' },
        { stage: 'x', sender: 'b', message: 'ask' },
        { stage: 'y', sender: 'a', message: 'ask' },
      ],
    ])
    expect(handled).toEqual(['x from a'])
    expect(simulation.scheduled).toHaveLength(1)
  })

  it('tells of every step', () => {
    const simulation = new Simulation()
    let steps = 0
    const loop = new RunLoop(simulation, simulation, 2, () => steps++)
    loop.wake(new Channelled('x', [], 'a', 'b', 'a'))
    simulation.microtasks()
    expect(steps).toBe(3)
  })

  it('handles what was chosen, until nothing is left', () => {
    const simulation = new Simulation(2, 1, 0)
    const loop = new RunLoop(simulation, simulation, 2)
    const handled: string[] = []
    loop.wake(new Channelled('x', handled, 'a', 'b'))
    loop.wake(new Channelled('y', handled, 'a'))
    simulation.microtasks()
    expect(handled).toEqual(['y from a', 'x from b', 'x from a'])
    expect(simulation.scheduled).toHaveLength(0)
  })

  it('GS-A1 lets a stage go on with the message in hand before it may take another', () => {
    const simulation = new Simulation()
    const loop = new RunLoop(simulation, simulation, 2)
    const handled: string[] = []
    const stage = new Channelled('x', handled, 'a')
    stage.hasWorkInHand = true
    loop.wake(stage)
    simulation.microtasks()
    expect(simulation.offered[0]).toEqual([{ stage: 'x', sender: 'x', message: 'continue' }])
    expect(handled).toEqual(['x goes on', 'x from a'])
  })

  it('lets a stage sleep that has nothing to do, without a choice', () => {
    const simulation = new Simulation()
    const loop = new RunLoop(simulation, simulation, 2)
    const handled: string[] = []
    loop.wake(new Channelled('x', handled))
    simulation.microtasks()
    expect(simulation.offered).toEqual([])
    expect(handled).toEqual(['x sleeps'])
  })

  it('begins again when somebody wakes after all was done', () => {
    const simulation = new Simulation()
    const loop = new RunLoop(simulation, simulation, 2)
    const handled: string[] = []
    loop.wake(new Channelled('x', handled, 'a'))
    simulation.microtasks()
    loop.wake(new Channelled('y', handled, 'b'))
    simulation.microtasks()
    expect(handled).toEqual(['x from a', 'y from b'])
  })

  it('takes every order that the choices allow, and only those', () => {
    const orders = new Set<string>()
    for (const first of [0, 1, 2]) {
      for (const second of [0, 1]) {
        const simulation = new Simulation(first, second)
        const loop = new RunLoop(simulation, simulation, 2)
        const handled: string[] = []
        loop.wake(new Channelled('x', handled, 'a', 'b'))
        loop.wake(new Channelled('y', handled, 'a'))
        simulation.microtasks()
        orders.add(handled.join(', '))
      }
    }
    expect(orders.size).toBe(6)
  })
})
