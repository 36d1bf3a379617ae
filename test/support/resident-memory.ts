import { readFileSync } from 'node:fs';

const KIB_IN_MIB = 1_024;

/** Memory of a process that is in use, in MiB (proc(5), VmRSS). */
export function residentMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return Number(kib) / KIB_IN_MIB;
}
