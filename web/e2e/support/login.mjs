// Signing in as a person does. A password that has to be changed is changed to the one it was, and one more sign.
export const login = async (page, who) => {
  await page.goto("/login");
  await signIn(page, who);
};

/** The same on the sign-in page that somebody was led to. */
export const signIn = async (page, { username, password }) => {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((address) => address.pathname !== "/login");
  if (new URL(page.url()).pathname === "/password") {
    const changed = `${password}+1`;
    await page.getByLabel("Current password").fill(password);
    await page.getByLabel(/^New password\s*\*?$/).fill(changed);
    await page.getByLabel("New password again").fill(changed);
    await page.getByRole("button", { name: "Set password" }).click();
  }
  await page.getByRole("navigation", { name: "Rooms" }).or(page.getByRole("button", { name: "Open the navigation" })).first().waitFor();
};
