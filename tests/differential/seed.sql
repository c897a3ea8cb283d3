-- The rows every call starts from.
create schema testing;
create function testing.reset() returns void language plpgsql as $reset$ begin
  delete from public.notes; delete from public.vault; delete from public.cellar;
  delete from public.summaries; delete from public.book_genres; delete from public.genres;
  delete from public.books; delete from public.shelves; delete from public.authors;
  delete from public.countries; delete from public.counters; delete from public.plain;
  delete from public."Odd Names"; delete from public.sales;
  delete from public.oddments;

  insert into public.countries values ('tr', 'Türkiye'), ('pl', 'Polska'), ('us', 'United States');
  insert into public.authors values
    (1, 'Ada', '1815-12-10', 'us', null, '{medal,"gold, 1st"}', '{"city":"London","langs":["en","fr"],"rank":{"n":1}}'),
    (2, 'Stanisław', '1921-09-12', 'pl', 1, '{}', '{"city":"Lwów","langs":["pl"],"rank":{"n":2}}'),
    (3, 'Cem', null, 'tr', 1, '{medal}', null),
    (4, 'Nobody', null, null, null, '{}', '{"city":null}');
  insert into public.shelves values (1, 1, 'front', 'calm'), (1, 2, 'back', 'busy'), (2, 1, null, 'closed');
  insert into public.books
    (id, title, author_id, editor_id, isbn, price, pages, printed, sold_at, opened, opens, open_for, weight,
     stock, in_print, tags, scores, meta, raw, mood, span, cover, code, shelf_room, shelf_place) values
    (1, 'The engine runs', 1, 2, '1-1', 12.50, 120, '1843-01-02', '2024-05-06 07:08:09.123456+00',
     '2024-05-06 07:08:09', '08:30', '1 day 02:00', 0.5, 9007199254740993, true, '{maths,history}', '{1,2,3}',
     '{"a":{"b":[10,20]},"kind":"essay","n":5}', '{"z":1, "a":[ ]}', 'calm', '[1,10)', '\x00ff41',
     '11111111-1111-4111-8111-111111111111', 1, 1),
    (2, 'Solaris, a novel', 2, 1, '2-2', 8.00, 204, '1961-06-01', '2023-01-01 00:00:00+00', null, '23:59:59',
     '00:00:30', 1e-7, 0, true, '{fiction,"outer space"}', '{5}', '{"kind":"novel","n":7}', null, 'busy', '[10,20)',
     null, '22222222-2222-4222-8222-222222222222', 1, 2),
    (3, 'A "quoted" (title)', 2, null, '3-3', 0.99, null, null, null, null, null, null, 1e21, -5, false, '{}', null,
     '{"kind":"novel","n":7,"deep":{"x":{"y":"z"}}}', '[1,null,"x"]', null, '[5,7]', null, null, 1, 1),
    (4, 'back\slash 100% *star*', 3, 3, null, 100.00, 10, '2000-02-29', '2024-12-31 23:59:59+00', null, null, null,
     null, null, null, null, '{3,4}', null, null, 'closed', 'empty', null, null, null, null),
    (5, 'Running engines', null, null, '5-5', 9.99, 300, '2024-01-01', null, null, null, null, 2, 7, true,
     '{maths}', '{}', '{}', '{}', 'calm', null, '\x', null, 2, 1);
  insert into public.genres values (1, 'essay'), (2, 'novel'), (3, 'poem');
  insert into public.book_genres values (1, 1, 1), (2, 2, 1), (2, 1, 2), (3, 2, 1);
  insert into public.summaries values (1, 'about engines'), (2, 'about an ocean');
  insert into public.counters values ('a', 1, 'first', 1, 1), ('b', 5, null, 1, 2);
  insert into public.plain values (1, 'one'), (2, 'two'), (null, null);
  insert into public."Odd Names" values (1, 'Ab', 'dotted', 'chosen', 'ü'), (2, null, 'x,y', 'a"b', null);
  insert into public.sales values (1, 'east', 10), (2, 'west', 20), (3, 'east', 30);
  insert into public.oddments overriding system value values
    (1, '(1,2)', '{"(1,2)","(3,4)"}', '{calm,busy}', '["2024-01-01 00:00+00","2024-02-01 00:00+00")', '10.0.0.1/24',
     '1010', 12.5, '<a>b</a>', '{{a,b},{c,"d,e"}}', true),
    (2, null, null, null, null, null, null, null, null, null, false);
  insert into public.notes (id, owner, body, shared, book_id) values
    (1, '0000000a-0000-4000-8000-00000000000a', 'ada private', false, 1),
    (2, '0000000a-0000-4000-8000-00000000000a', 'ada shared', true, 2),
    (3, '0000000b-0000-4000-8000-00000000000b', 'bob private', false, 1);
  insert into public.vault values (1, 'gold');
  insert into public.cellar values (1, 'wine');
  perform setval('public.books_id_seq', 100), setval('public.notes_id_seq', 100),
    setval('public.oddments_id_seq', 100);
end $reset$;
select testing.reset();
analyze;
