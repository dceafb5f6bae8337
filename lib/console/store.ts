import { useEffect, useState } from "preact/hooks";

/** A value that others can follow. */
export class Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls back after each change, until what it returns is called. */
  follow(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** A store's value; the component renders again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState<{ readonly of: T }>({ of: store.value });
  useEffect(() => {
    const read = () => setValue((last) => last.of === store.value ? last : { of: store.value });
    read();
    return store.follow(read);
  }, [store]);
  return value.of;
}
