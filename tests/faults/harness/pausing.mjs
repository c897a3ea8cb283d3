// Letting a fault last. Tests wait for what happens; only faults have a length of their own.

export const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
