// A machine and its account, filled in as a person does; and what a test of its connection shows.
export const stage = (page, name) => page.locator(`[data-stage="${name}"]`).first();

export const stageIs = (page, name, status) => page.locator(`[data-stage="${name}"][data-status="${status}"]`).first().waitFor();

export const fillMachine = async (page, { name, port }) => {
  const form = page.locator("form").filter({ has: page.getByLabel("Address") });
  await form.getByLabel(/^Name/).fill(name);
  await form.getByLabel(/^Address/).fill("127.0.0.1");
  await form.getByLabel(/^Port/).fill(String(port));
};

/** `press` clicks, and may count. */
export const addAccount = async (page, { name, username, password }, press = (button) => button.click()) => {
  await press(page.getByRole("button", { name: "New credential…" }));
  const dialog = page.getByRole("dialog", { name: "New credential" });
  await dialog.getByLabel(/^Name/).fill(name);
  await dialog.getByLabel(/^User name/).fill(username);
  await press(dialog.getByText("Password", { exact: true }).first());
  await dialog.getByRole("textbox", { name: /^Password\s*\*?$/ }).fill(password);
  await press(dialog.getByRole("button", { name: "Save credential" }));
  await dialog.waitFor({ state: "hidden" });
};
