/** One thing done with many, one after the other: a refusal of one does not stop the rest. */
export interface Outcome<Item> {
  done: Item[];
  failures: { item: Item; error: unknown }[];
}

export const inTurn = async <Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>, onEach?: () => void): Promise<Outcome<Item>> => {
  const outcome: Outcome<Item> = { done: [], failures: [] };
  for (const item of items) {
    try {
      await act(item);
      outcome.done.push(item);
    } catch (error) {
      outcome.failures.push({ item, error });
    }
    onEach?.();
  }
  return outcome;
};
