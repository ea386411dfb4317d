interface Place {
  name: string;
  route: string;
}

export const OPEN_ROUTES: readonly Place[];
export const ROUTES: readonly Place[];
