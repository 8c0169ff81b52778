import { useCallback, useEffect, useState } from "react";

/** State that a reload keeps. */
export function useRemembered<T>(key: string, initial: T): [T, (value: T | ((before: T) => T)) => void] {
  const name = `playground.${key}`;
  const [value, setValue] = useState<T>(() => {
    try {
      const kept = localStorage.getItem(name);
      return kept === null ? initial : (JSON.parse(kept) as T);
    } catch {
      return initial;
    }
  });
  useEffect(() => localStorage.setItem(name, JSON.stringify(value)), [name, value]);
  return [value, useCallback(setValue, [])];
}
