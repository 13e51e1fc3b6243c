// Tells one story of stories/ in a browser.
//
//   node staff.mjs URL PASSWORD BROWSER STORY SANDBOX
import { story, tell } from "./stage.mjs";

await tell((await import(`./stories/${story}.mjs`)).default);
