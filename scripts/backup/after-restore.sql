-- Whatever ended since the moment that the database was set back to is alive again: sessions, tokens, used secrets. This
-- ends them anew, for everybody. What is left to do by hand is in docs/deploy.md.
update users set valid_after = (unixepoch() + 1) * 1000;
delete from challenges;
delete from login_states;
