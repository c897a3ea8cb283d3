// Starts the page: finds the server, then shows the chat to whoever is signed in.
import { ChatView } from './chat_view.js';
import { announce, byId, showProblem } from './elements.js';
import { plainWords } from './plain_words.js';
import { SignInView } from './sign_in_view.js';
import { connect } from './supabase_adapter.js';

const retryPause = 2000;

async function findServer() {
  for (;;) {
    try {
      return await connect();
    } catch {
      byId('welcome').hidden = false;
      showProblem(byId('sign-in-problem'), plainWords({ code: 'network' }));
      await new Promise((resolve) => setTimeout(resolve, retryPause));
    }
  }
}

const client = await findServer();
const signIn = new SignInView(client);
const chat = new ChatView(client);
let shownUser;

function show(user) {
  if (shownUser !== undefined && user?.id === shownUser?.id) return;
  if (shownUser) chat.hide();
  if (shownUser && !user) announce('Signed out');
  shownUser = user ?? null;
  if (user) {
    signIn.hide();
    chat.show(user);
  } else signIn.show();
}

// Deferred: the client holds its own lock while it tells of a change.
client.auth.onAuthStateChange((_event, session) => setTimeout(() => show(session?.user)));
