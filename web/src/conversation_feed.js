// Hears of one's conversations from the database: begun, renamed or deleted on any device.

/**
 * @param {import('@supabase/supabase-js').SupabaseClient} client
 * @param {{onChange: (row: object) => void, onGone: (id: string) => void, onLive: () => void}} handlers
 *   `onLive`: changes are told from now on; what happened before has to be read
 * @returns {() => void} ends it
 */
export function followConversations(client, { onChange, onGone, onLive }) {
  let channel = null;
  let stopped = false;
  (async () => {
    await client.auth.getSession();
    await client.realtime.setAuth();
    if (stopped) return;
    channel = client
      .channel('my-conversations')
      .on(
        'postgres_changes',
        { event: '*', schema: 'public', table: 'conversations' },
        ({ eventType, new: row, old }) => {
          if (stopped) return;
          if (eventType === 'DELETE') onGone(old.id);
          else onChange(row);
        },
      )
      .subscribe((status) => {
        if (status === 'SUBSCRIBED' && !stopped) onLive();
      });
  })().catch(() => {}); // the list is read after every send, too
  return () => {
    stopped = true;
    if (channel) client.removeChannel(channel);
  };
}
