/** Opens the search from anywhere, without loading it. */
type Listener = () => void;

let listener: Listener | null = null;

export const search = {
  open: (): void => listener?.(),
  listen: (open: Listener): void => {
    listener = open;
  },
};
