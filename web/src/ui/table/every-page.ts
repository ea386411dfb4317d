import { useEffect } from "react";

interface Paged {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isError: boolean;
  fetchNextPage: () => unknown;
}

/** Reads on to the last page while `wanted`: for a filter that the server does not know. */
export const useEveryPage = ({ hasNextPage, isFetchingNextPage, isError, fetchNextPage }: Paged, wanted: boolean): void => {
  useEffect(() => {
    if (wanted && hasNextPage && !isFetchingNextPage && !isError) fetchNextPage();
  }, [wanted, hasNextPage, isFetchingNextPage, isError, fetchNextPage]);
};
