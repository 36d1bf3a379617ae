/** The same object with some methods done otherwise: a store that loses answers, waits, or counts. */
export function changed<T extends object>(target: T, methods: Partial<T>): T {
  return Object.assign(Object.create(target) as T, methods);
}
