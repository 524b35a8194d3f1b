import { readFileSync, readlinkSync } from 'node:fs'

/**
 * Where a process lives and when it was born, as far as the system tells. Of a process in the same place one can ask whether it
 * lives; a number that was given to a new process meanwhile was born at another time.
 */
export interface ProcessIdentity {
  /** Processes of the same place see each other's numbers. Undefined: the system does not tell. */
  readonly place?: string | undefined
  readonly born?: string | undefined
}

/** Identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { place: ownPlace(), born: birthOf(process.pid)?.at }
}

/** Containers of one machine have the boot in common, but not the numbers of processes. */
function ownPlace(): string | undefined {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined
  }
}

/** Whether a process of our place is surely dead. */
export function isProcessDead(pid: number, born: string | undefined): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it lives, as somebody else
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
  const birth = birthOf(pid)
  // One that has died, and whose parent has not looked at it yet, still has its number
  return birth !== undefined && (birth.isZombie || (born !== undefined && birth.at !== born))
}

/** From `/proc/PID/stat`: the third field is the state, the 22nd when it was started. */
function birthOf(pid: number): { readonly isZombie: boolean; readonly at: string | undefined } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the name of the program, which may hold anything
    const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { isZombie: state === 'Z' || state === 'X', at: fields[18] }
  } catch {
    return undefined
  }
}
