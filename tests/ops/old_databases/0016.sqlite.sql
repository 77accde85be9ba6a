BEGIN TRANSACTION;
CREATE TABLE agents (
	id VARCHAR(40) NOT NULL, 
	username VARCHAR(50) NOT NULL, 
	username_key TEXT NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	password_hash VARCHAR(200) NOT NULL, 
	role VARCHAR(40) NOT NULL, 
	status VARCHAR(20) DEFAULT 'offline' NOT NULL, 
	max_sessions INTEGER DEFAULT '5' NOT NULL, 
	must_change_password BOOLEAN DEFAULT (false) NOT NULL, 
	is_active BOOLEAN DEFAULT (true) NOT NULL, 
	created_at BIGINT NOT NULL, 
	last_login_at BIGINT, 
	failed_logins INTEGER DEFAULT '0' NOT NULL, 
	locked_until BIGINT, status_note VARCHAR(120) DEFAULT '' NOT NULL, status_at BIGINT, last_seen_at BIGINT, skills JSON DEFAULT '[]' NOT NULL, languages JSON DEFAULT '[]' NOT NULL, is_auto BOOLEAN DEFAULT false NOT NULL, active_at BIGINT, oidc_subject VARCHAR(255), is_invited BOOLEAN DEFAULT false NOT NULL, 
	CONSTRAINT pk_agents PRIMARY KEY (id), 
	CONSTRAINT uq_agents_username_key UNIQUE (username_key)
);
INSERT INTO "agents" VALUES('id of agents','username of agents','username_key of agents','name of agents','password_hash of agents','agent','status of agents',1,0,0,1,1,1,1,'status_note of agents',1,1,'{}','{}',0,1,'oidc_subject of agents',0);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0016');
CREATE TABLE article_versions (
	article_id VARCHAR(40) NOT NULL, 
	version INTEGER NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	body TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	public_at BIGINT, 
	CONSTRAINT pk_article_versions PRIMARY KEY (article_id, version), 
	CONSTRAINT fk_article_versions_article_id FOREIGN KEY(article_id) REFERENCES articles (id) ON DELETE CASCADE
);
INSERT INTO "article_versions" VALUES('id of articles',1,'title of article_versions','body of article_versions',1,1);
CREATE TABLE articles (
	id VARCHAR(40) NOT NULL, 
	shop VARCHAR(64) NOT NULL, 
	lang VARCHAR(2) NOT NULL, 
	kind VARCHAR(10) NOT NULL, 
	slug VARCHAR(80) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	body TEXT NOT NULL, 
	questions JSON NOT NULL, 
	category VARCHAR(60) NOT NULL, 
	tags JSON NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	version INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	published_at BIGINT, 
	CONSTRAINT pk_articles PRIMARY KEY (id), 
	CONSTRAINT uq_articles_shop_lang_slug UNIQUE (shop, lang, slug)
);
INSERT INTO "articles" VALUES('id of articles','shop of articles','en','article','slug of articles','title of articles','body of articles','[]','category of articles','[]','published',1,1,1,1);
CREATE TABLE assists (
	id VARCHAR(40) NOT NULL, 
	session VARCHAR(80) NOT NULL, 
	requester_id VARCHAR(40) NOT NULL, 
	requester VARCHAR(50) NOT NULL, 
	requester_name VARCHAR(80) NOT NULL, 
	assistant_id VARCHAR(40) NOT NULL, 
	assistant VARCHAR(50) NOT NULL, 
	assistant_name VARCHAR(80) NOT NULL, 
	question TEXT NOT NULL, 
	answer TEXT, 
	created_at BIGINT NOT NULL, 
	answered_at BIGINT, 
	CONSTRAINT pk_assists PRIMARY KEY (id)
);
INSERT INTO "assists" VALUES('id of assists','session of assists','requester_id of assists','requester of assists','requester_name of assists','assistant_id of assists','assistant of assists','assistant_name of assists','question of assists','answer of assists',1,1);
CREATE TABLE audit_entries (
	seq INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	actor_id VARCHAR(40) NOT NULL, 
	actor_name VARCHAR(80) NOT NULL, 
	actor_role VARCHAR(40) NOT NULL, 
	action VARCHAR(60) NOT NULL, 
	object_type VARCHAR(40) NOT NULL, 
	object_id VARCHAR(120) NOT NULL, 
	"before" TEXT, 
	"after" TEXT, 
	address VARCHAR(64) NOT NULL, 
	user_agent VARCHAR(300) NOT NULL, 
	request_id VARCHAR(64) NOT NULL, 
	kid VARCHAR(8) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_audit_entries PRIMARY KEY (seq)
);
INSERT INTO "audit_entries" VALUES(1,1,'actor_id of audit_entries','actor_name of audit_entries','actor_role of audit_entries','action of audit_entries','object_type of audit_entries','object_id of audit_entries','before of audit_entries','after of audit_entries','address of audit_entries','user_agent of audit_entries','request_id of audit_entries','kid of a','hash of audit_entries');
CREATE TABLE audit_head (
	id INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_audit_head PRIMARY KEY (id)
);
INSERT INTO "audit_head" VALUES(1,1,'hash of audit_head');
CREATE TABLE drafts (
	session VARCHAR(80) NOT NULL, 
	agent_id VARCHAR(40) NOT NULL, 
	content TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_drafts PRIMARY KEY (session, agent_id)
);
INSERT INTO "drafts" VALUES('session of drafts','agent_id of drafts','content of drafts',1,1);
CREATE TABLE episodes (
	session VARCHAR(80) NOT NULL, 
	number INTEGER NOT NULL, 
	shop VARCHAR(40) NOT NULL, 
	reason VARCHAR(20) NOT NULL, 
	started_at BIGINT NOT NULL, 
	taken_at BIGINT, 
	replied_at BIGINT, 
	agent_id VARCHAR(40), 
	ended_at BIGINT, 
	ended_by VARCHAR(40), 
	rating INTEGER, 
	CONSTRAINT pk_episodes PRIMARY KEY (session, number)
);
INSERT INTO "episodes" VALUES('session of episodes',1,'shop of episodes','reason of episodes',1,1,1,'agent_id of episodes',1,'ended_by of episodes',1);
CREATE TABLE events (
	position INTEGER NOT NULL, 
	stream VARCHAR(120) NOT NULL, 
	seq BIGINT NOT NULL, 
	type VARCHAR(60) NOT NULL, 
	audience VARCHAR(10) NOT NULL, 
	actor TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	client_msg_id VARCHAR(64), 
	at BIGINT NOT NULL, xid BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (position), 
	CONSTRAINT uq_events_stream_seq UNIQUE (stream, seq)
);
INSERT INTO "events" VALUES(1,'session/old',1,'message.posted','public','{"kind":"visitor"}','{"role":"user","content":"from long ago"}','client_msg_id of events',1,0);
CREATE TABLE failed_logins (
	"key" VARCHAR(80) NOT NULL, 
	failures INTEGER NOT NULL, 
	last_at BIGINT NOT NULL, 
	locked_until BIGINT NOT NULL, 
	CONSTRAINT pk_failed_logins PRIMARY KEY ("key")
);
INSERT INTO "failed_logins" VALUES('key of failed_logins',1,1,1);
CREATE TABLE feed_marks (
	follower VARCHAR(40) NOT NULL, 
	xid BIGINT NOT NULL, 
	position BIGINT NOT NULL, 
	CONSTRAINT pk_feed_marks PRIMARY KEY (follower)
);
INSERT INTO "feed_marks" VALUES('follower of feed_marks',1,1);
CREATE TABLE indexed_messages (
	position INTEGER NOT NULL, 
	session VARCHAR(80) NOT NULL, 
	seq BIGINT NOT NULL, 
	words TEXT NOT NULL, 
	CONSTRAINT pk_indexed_messages PRIMARY KEY (position)
);
INSERT INTO "indexed_messages" VALUES(1,'session of indexed_messages',1,'words of indexed_messages');
PRAGMA writable_schema=ON;
INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)VALUES('table','indexed_messages_fts','indexed_messages_fts',0,'CREATE VIRTUAL TABLE indexed_messages_fts USING fts5(words, content=''indexed_messages'', content_rowid=''position'',
        columnsize=0, detail=none, tokenize="unicode61 remove_diacritics 0 tokenchars ''_''")');
INSERT INTO "indexed_messages_fts" VALUES('words of indexed_messages');
CREATE TABLE 'indexed_messages_fts_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO "indexed_messages_fts_config" VALUES('version',4);
CREATE TABLE 'indexed_messages_fts_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO "indexed_messages_fts_data" VALUES(1,X'0103');
INSERT INTO "indexed_messages_fts_data" VALUES(10,X'000000000101010001010101');
INSERT INTO "indexed_messages_fts_data" VALUES(137438953473,X'000000241130696E64657865645F6D657373616765730101026F66010105776F72647301041305');
CREATE TABLE 'indexed_messages_fts_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO "indexed_messages_fts_idx" VALUES(1,X'',2);
CREATE TABLE jobs (
	id INTEGER NOT NULL, 
	lane VARCHAR(10) NOT NULL, 
	kind VARCHAR(60) NOT NULL, 
	payload TEXT NOT NULL, 
	run_at BIGINT NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	leased_until BIGINT, 
	leased_by VARCHAR(64), 
	is_dead BOOLEAN DEFAULT (false) NOT NULL, 
	last_error TEXT, 
	created_at BIGINT NOT NULL, "key" VARCHAR(80), 
	CONSTRAINT pk_jobs PRIMARY KEY (id)
);
INSERT INTO "jobs" VALUES(1,'bulk','unknown','{}',9000000000000,1,1,'leased_by of jobs',0,'last_error of jobs',1,'key of jobs');
CREATE TABLE knowledge_states (
	shop VARCHAR(64) NOT NULL, 
	version INTEGER NOT NULL, 
	stamp VARCHAR(40) NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_knowledge_states PRIMARY KEY (shop)
);
INSERT INTO "knowledge_states" VALUES('shop of knowledge_states',1,'stamp of knowledge_states',1);
CREATE TABLE knowledge_terms (
	shop VARCHAR(64) NOT NULL, 
	lang VARCHAR(2) NOT NULL, 
	term VARCHAR(80) NOT NULL, 
	passages INTEGER NOT NULL, 
	CONSTRAINT pk_knowledge_terms PRIMARY KEY (shop, lang, term)
);
INSERT INTO "knowledge_terms" VALUES('shop of knowledge_terms','la','term of knowledge_terms',1);
CREATE TABLE mentions (
	note_id VARCHAR(40) NOT NULL, 
	agent_id VARCHAR(40) NOT NULL, 
	at BIGINT NOT NULL, 
	read_at BIGINT, 
	CONSTRAINT pk_mentions PRIMARY KEY (note_id, agent_id), 
	CONSTRAINT fk_mentions_note_id_notes FOREIGN KEY(note_id) REFERENCES notes (id) ON DELETE CASCADE
);
INSERT INTO "mentions" VALUES('id of notes','agent_id of mentions',1,1);
CREATE TABLE notes (
	id VARCHAR(40) NOT NULL, 
	session VARCHAR(80) NOT NULL, 
	content TEXT NOT NULL, 
	author_id VARCHAR(40) NOT NULL, 
	author_username VARCHAR(50) NOT NULL, 
	author_name VARCHAR(80) NOT NULL, 
	mentions JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_notes PRIMARY KEY (id)
);
INSERT INTO "notes" VALUES('id of notes','session of notes','content of notes','author_id of notes','author_username of notes','author_name of notes','{}',1,1);
CREATE TABLE passages (
	number INTEGER NOT NULL, 
	id VARCHAR(60) NOT NULL, 
	article_id VARCHAR(40) NOT NULL, 
	version INTEGER NOT NULL, 
	shop VARCHAR(64) NOT NULL, 
	lang VARCHAR(2) NOT NULL, 
	ordinal INTEGER NOT NULL, 
	heading VARCHAR(200) NOT NULL, 
	text TEXT NOT NULL, 
	text_hash VARCHAR(64) NOT NULL, 
	tokens TEXT NOT NULL, 
	title_tokens TEXT NOT NULL, 
	asked_tokens TEXT NOT NULL, 
	CONSTRAINT pk_passages PRIMARY KEY (number), 
	CONSTRAINT fk_passages_article_id FOREIGN KEY(article_id) REFERENCES articles (id) ON DELETE CASCADE, 
	CONSTRAINT uq_passages_id UNIQUE (id)
);
INSERT INTO "passages" VALUES(1,'id of passages','id of articles',1,'shop of passages','en',1,'heading of passages','text of passages','text_hash of passages','tokens of passages','title_tokens of passages','asked_tokens of passages');
INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)VALUES('table','passages_fts','passages_fts',0,'CREATE VIRTUAL TABLE passages_fts USING fts5(tokens, title_tokens, asked_tokens, content=''passages'', content_rowid=''number'', columnsize=0,
        detail=none, tokenize="unicode61 remove_diacritics 0 tokenchars ''_''")');
INSERT INTO "passages_fts" VALUES('tokens of passages','title_tokens of passages','asked_tokens of passages');
CREATE TABLE 'passages_fts_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO "passages_fts_config" VALUES('version',4);
CREATE TABLE 'passages_fts_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO "passages_fts_data" VALUES(1,X'01030303');
INSERT INTO "passages_fts_data" VALUES(10,X'000000000101010001010101');
INSERT INTO "passages_fts_data" VALUES(137438953473,X'0000003A0D3061736B65645F746F6B656E730101026F66010108706173736167657301010C7469746C655F746F6B656E730102056F6B656E7301040F050B0F');
CREATE TABLE 'passages_fts_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO "passages_fts_idx" VALUES(1,X'',2);
CREATE TABLE quick_replies (
	id VARCHAR(40) NOT NULL, 
	owner VARCHAR(40) NOT NULL, 
	created_by VARCHAR(40) NOT NULL, 
	category VARCHAR(20) NOT NULL, 
	title VARCHAR(50) NOT NULL, 
	content TEXT NOT NULL, 
	words TEXT NOT NULL, 
	shortcut INTEGER, 
	usage_count INTEGER NOT NULL, 
	used_at BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_quick_replies PRIMARY KEY (id), 
	CONSTRAINT uq_quick_replies_owner UNIQUE (owner, shortcut)
);
INSERT INTO "quick_replies" VALUES('id of quick_replies','owner of quick_replies','created_by of quick_replies','category of quick_re','title of quick_replies','content of quick_replies','words of quick_replies',1,1,1,1,1);
CREATE TABLE read_marks (
	session VARCHAR(80) NOT NULL, 
	reader VARCHAR(40) NOT NULL, 
	seq BIGINT NOT NULL, 
	read_count INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_read_marks PRIMARY KEY (session, reader)
);
INSERT INTO "read_marks" VALUES('session of read_marks','reader of read_marks',1,1,1);
CREATE TABLE refresh_tokens (
	hash VARCHAR(64) NOT NULL, 
	family VARCHAR(40) NOT NULL, 
	agent_id VARCHAR(40) NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	used_at BIGINT, 
	revoked_at BIGINT, 
	CONSTRAINT pk_refresh_tokens PRIMARY KEY (hash), 
	CONSTRAINT fk_refresh_tokens_agent_id FOREIGN KEY(agent_id) REFERENCES agents (id) ON DELETE CASCADE
);
INSERT INTO "refresh_tokens" VALUES('hash of refresh_tokens','family of refresh_tokens','id of agents',1,1,1,1);
CREATE TABLE roles (
	id VARCHAR(40) NOT NULL, 
	name_en VARCHAR(40) NOT NULL, 
	name_zh VARCHAR(40) NOT NULL, 
	permissions JSON NOT NULL, 
	version INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_roles PRIMARY KEY (id), 
	CONSTRAINT uq_roles_name_en UNIQUE (name_en), 
	CONSTRAINT uq_roles_name_zh UNIQUE (name_zh)
);
INSERT INTO "roles" VALUES('custom','name_en of roles','name_zh of roles','["sessions.read"]',1,1);
CREATE TABLE second_factors (
	agent_id VARCHAR(40) NOT NULL, 
	secret TEXT NOT NULL, 
	confirmed_at BIGINT, 
	last_step BIGINT NOT NULL, 
	recovery TEXT NOT NULL, 
	CONSTRAINT pk_second_factors PRIMARY KEY (agent_id), 
	CONSTRAINT fk_second_factors_agent_id FOREIGN KEY(agent_id) REFERENCES agents (id) ON DELETE CASCADE
);
INSERT INTO "second_factors" VALUES('id of agents','secret of second_factors',1,1,'recovery of second_factors');
CREATE TABLE session_guests (
	session VARCHAR(80) NOT NULL, 
	agent_id VARCHAR(40) NOT NULL, 
	reason VARCHAR(20) NOT NULL, 
	until BIGINT NOT NULL, 
	CONSTRAINT pk_session_guests PRIMARY KEY (session, agent_id)
);
INSERT INTO "session_guests" VALUES('session of session_guests','agent_id of session_guests','reason of session_gu',1);
CREATE TABLE session_tags (
	session VARCHAR(80) NOT NULL, 
	tag VARCHAR(40) NOT NULL, 
	"by" TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	is_auto BOOLEAN NOT NULL, 
	CONSTRAINT pk_session_tags PRIMARY KEY (session, tag)
);
INSERT INTO "session_tags" VALUES('session of session_tags','tag of session_tags','by of session_tags',1,0);
CREATE TABLE sessions (
	name VARCHAR(80) NOT NULL, 
	shop VARCHAR(40) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	epoch INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	locale VARCHAR(2) NOT NULL, 
	conversation_id VARCHAR(40) NOT NULL, 
	nickname VARCHAR(80), 
	is_vip BOOLEAN NOT NULL, 
	agent_id VARCHAR(40), 
	agent_name VARCHAR(80), 
	escalation_reason VARCHAR(20), 
	escalation_details TEXT, 
	escalation_severity VARCHAR(10), 
	escalated_at BIGINT, 
	escalation_count INTEGER NOT NULL, 
	message_count INTEGER NOT NULL, 
	ai_fail_count INTEGER NOT NULL, 
	last_role VARCHAR(10), 
	last_text VARCHAR(80), 
	last_message_at BIGINT, 
	last_visitor_seq BIGINT NOT NULL, 
	answered_seq BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	manual_started_at BIGINT, 
	manual_ended_at BIGINT, 
	closed_at BIGINT, visitor_message_count INTEGER DEFAULT '0' NOT NULL, visitor_id VARCHAR(40) DEFAULT '' NOT NULL, episode INTEGER DEFAULT '0' NOT NULL, replied_at BIGINT, email VARCHAR(254), mail_status VARCHAR(10), assigned_until BIGINT, urgent_words INTEGER DEFAULT '0' NOT NULL, reminded INTEGER DEFAULT '0' NOT NULL, tags JSON DEFAULT '[]' NOT NULL, rating INTEGER, merged_into VARCHAR(80), customer JSON, identity_epoch INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (name)
);
INSERT INTO "sessions" VALUES('old','shop of sessions','bot_active',0,2,'en','conversation_id of sessions','nickname of sessions',0,'agent_id of sessions','agent_name of sessions','escalation_reason of','escalation_details of sessions','escalation',1,1,1,1,'last_role ','last_text of sessions',1,1,1,1,1,1,1,1,1,'visitor_id of sessions',1,1,'email of sessions','mail_statu',1,1,1,'{}',1,'merged_into of sessions','{}',1);
CREATE TABLE shop_secrets (
	id VARCHAR(40) NOT NULL, 
	shop VARCHAR(40) NOT NULL, 
	sealed VARCHAR(400) NOT NULL, 
	created_at BIGINT NOT NULL, 
	retired_at BIGINT, 
	CONSTRAINT pk_shop_secrets PRIMARY KEY (id), 
	CONSTRAINT fk_shop_secrets_shop FOREIGN KEY(shop) REFERENCES shops (id) ON DELETE CASCADE
);
INSERT INTO "shop_secrets" VALUES('id of shop_secrets','id of shops','sealed of shop_secrets',1,1);
CREATE TABLE shops (
	id VARCHAR(40) NOT NULL, 
	name JSON NOT NULL, 
	locales JSON NOT NULL, 
	bot_name JSON NOT NULL, 
	description JSON NOT NULL, 
	welcome JSON NOT NULL, 
	suggestions JSON NOT NULL, 
	color VARCHAR(7) NOT NULL, 
	is_demo BOOLEAN NOT NULL, 
	is_default BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, hours JSON, hours_version INTEGER DEFAULT '0' NOT NULL, mail_to JSON DEFAULT '[]' NOT NULL, routing JSON DEFAULT '{}' NOT NULL, crowded_at BIGINT, identity_mode VARCHAR(10) DEFAULT 'off' NOT NULL, identity_required BOOLEAN DEFAULT false NOT NULL, origins JSON, security_version INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_shops PRIMARY KEY (id)
);
INSERT INTO "shops" VALUES('id of shops','{}','{}','{}','{}','{}','{}','color o',0,0,1,'{}',1,'{}','{}',1,'identity_m',0,'{}',1);
CREATE TABLE stints (
	session VARCHAR(80) NOT NULL, 
	seq BIGINT NOT NULL, 
	episode INTEGER NOT NULL, 
	shop VARCHAR(40) NOT NULL, 
	agent_id VARCHAR(40) NOT NULL, 
	started_at BIGINT NOT NULL, 
	replied_at BIGINT, 
	ended_at BIGINT, 
	ended_by VARCHAR(40), 
	rating INTEGER, 
	CONSTRAINT pk_stints PRIMARY KEY (session, seq)
);
INSERT INTO "stints" VALUES('session of stints',1,1,'shop of stints','agent_id of stints',1,1,1,'ended_by of stints',1);
CREATE TABLE tags (
	id VARCHAR(40) NOT NULL, 
	name JSON NOT NULL, 
	name_key VARCHAR(80) NOT NULL, 
	"group" VARCHAR(20) NOT NULL, 
	color VARCHAR(7) NOT NULL, 
	icon VARCHAR(16) NOT NULL, 
	description VARCHAR(200) NOT NULL, 
	rules JSON NOT NULL, 
	is_archived BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_tags PRIMARY KEY (id), 
	CONSTRAINT uq_tags_name_key UNIQUE (name_key)
);
INSERT INTO "tags" VALUES('id of tags','{}','name_key of tags','group of tags','color o','icon of tags','description of tags','{}',0,1);
CREATE TABLE tellings (
	id VARCHAR(40) NOT NULL, 
	agent_id VARCHAR(40) NOT NULL, 
	type VARCHAR(60) NOT NULL, 
	data TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_tellings PRIMARY KEY (id)
);
INSERT INTO "tellings" VALUES('id of tellings','agent_id of tellings','type of tellings','data of tellings',1);
CREATE TABLE transfer_requests (
	id VARCHAR(40) NOT NULL, 
	session VARCHAR(80) NOT NULL, 
	requested_by VARCHAR(40) NOT NULL, 
	from_agent_id VARCHAR(40) NOT NULL, 
	from_agent_name VARCHAR(80) NOT NULL, 
	to_agent_id VARCHAR(40) NOT NULL, 
	to_agent_name VARCHAR(80) NOT NULL, 
	reason VARCHAR(200) NOT NULL, 
	note TEXT NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	is_forced BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	responded_at BIGINT, 
	response_note TEXT NOT NULL, 
	ended_by VARCHAR(20), 
	CONSTRAINT pk_transfer_requests PRIMARY KEY (id)
);
INSERT INTO "transfer_requests" VALUES('id of transfer_requests','session of transfer_requests','requested_by of transfer_requests','from_agent_id of transfer_requests','from_agent_name of transfer_requests','to_agent_id of transfer_requests','to_agent_name of transfer_requests','reason of transfer_requests','note of transfer_requests','status of ',0,1,1,1,'response_note of transfer_requests','ended_by of transfer');
CREATE INDEX ix_articles_shop_updated_at ON articles (shop, updated_at, id);
CREATE UNIQUE INDEX uq_events_stream_client_msg_id ON events (stream, client_msg_id) WHERE client_msg_id IS NOT NULL;
CREATE INDEX ix_jobs_due ON jobs (lane, run_at) WHERE is_dead = 0;
CREATE INDEX ix_sessions_agent_id_updated_at ON sessions (agent_id, updated_at);
CREATE INDEX ix_sessions_status_updated_at ON sessions (status, updated_at);
CREATE INDEX ix_sessions_updated_at ON sessions (updated_at);
CREATE INDEX ix_passages_article_id ON passages (article_id);
CREATE INDEX ix_passages_shop_lang ON passages (shop, lang);
CREATE INDEX ix_refresh_tokens_agent_id ON refresh_tokens (agent_id);
CREATE INDEX ix_refresh_tokens_family ON refresh_tokens (family);
CREATE TRIGGER passages_fts_insert AFTER INSERT ON passages BEGIN INSERT INTO passages_fts(rowid, tokens, title_tokens, asked_tokens) VALUES (new.number, new.tokens, new.title_tokens, new.asked_tokens); END;
CREATE TRIGGER passages_fts_delete AFTER DELETE ON passages BEGIN INSERT INTO passages_fts(passages_fts, rowid, tokens, title_tokens, asked_tokens) VALUES ('delete', old.number, old.tokens, old.title_tokens, old.asked_tokens); END;
CREATE TRIGGER passages_fts_update AFTER UPDATE OF number, tokens, title_tokens, asked_tokens ON passages BEGIN INSERT INTO passages_fts(passages_fts, rowid, tokens, title_tokens, asked_tokens) VALUES ('delete', old.number, old.tokens, old.title_tokens, old.asked_tokens); INSERT INTO passages_fts(rowid, tokens, title_tokens, asked_tokens) VALUES (new.number, new.tokens, new.title_tokens, new.asked_tokens); END;
CREATE UNIQUE INDEX uq_jobs_key ON jobs ("key") WHERE key IS NOT NULL;
CREATE INDEX ix_episodes_shop_started_at ON episodes (shop, started_at);
CREATE INDEX ix_episodes_shop_taken_at ON episodes (shop, taken_at);
CREATE INDEX ix_stints_agent_id_ended_at ON stints (agent_id, ended_at);
CREATE INDEX ix_stints_shop_started_at ON stints (shop, started_at);
CREATE INDEX ix_sessions_visitor_id_created_at ON sessions (visitor_id, created_at);
CREATE UNIQUE INDEX uq_transfer_requests_open ON transfer_requests (session) WHERE status = 'pending';
CREATE INDEX ix_transfer_requests_session_created_at ON transfer_requests (session, created_at);
CREATE INDEX ix_transfer_requests_to_agent_id ON transfer_requests (to_agent_id, status);
CREATE INDEX ix_transfer_requests_from_agent_id ON transfer_requests (from_agent_id, status);
CREATE INDEX ix_transfer_requests_requested_by ON transfer_requests (requested_by, status);
CREATE INDEX ix_notes_session_created_at ON notes (session, created_at);
CREATE INDEX ix_mentions_agent_id_at ON mentions (agent_id, at);
CREATE INDEX ix_assists_session_created_at ON assists (session, created_at);
CREATE INDEX ix_assists_requester_id_created_at ON assists (requester_id, created_at);
CREATE INDEX ix_assists_assistant_id_created_at ON assists (assistant_id, created_at);
CREATE INDEX ix_session_tags_tag_at ON session_tags (tag, at, session);
CREATE INDEX ix_quick_replies_owner_usage ON quick_replies (owner, usage_count, id);
CREATE INDEX ix_session_guests_agent_id_until ON session_guests (agent_id, until);
CREATE INDEX ix_indexed_messages_session ON indexed_messages (session);
CREATE TRIGGER indexed_messages_fts_insert AFTER INSERT ON indexed_messages BEGIN INSERT INTO indexed_messages_fts(rowid, words) VALUES (new.position, new.words); END;
CREATE TRIGGER indexed_messages_fts_delete AFTER DELETE ON indexed_messages BEGIN INSERT INTO indexed_messages_fts(indexed_messages_fts, rowid, words) VALUES ('delete', old.position, old.words); END;
CREATE INDEX ix_sessions_created_at ON sessions (created_at);
CREATE INDEX ix_sessions_shop_updated_at ON sessions (shop, updated_at);
CREATE INDEX ix_sessions_vip_updated_at ON sessions (updated_at) WHERE is_vip = 1;
CREATE INDEX ix_tellings_at ON tellings (at);
CREATE INDEX ix_audit_entries_at ON audit_entries (at, seq);
CREATE INDEX ix_audit_entries_actor ON audit_entries (actor_id, at, seq);
CREATE INDEX ix_audit_entries_action ON audit_entries (action, at, seq);
CREATE INDEX ix_audit_entries_object ON audit_entries (object_type, object_id, at, seq);
CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;
CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;
CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;
CREATE INDEX ix_shop_secrets_shop ON shop_secrets (shop);
CREATE INDEX ix_failed_logins_last_at ON failed_logins (last_at);
CREATE UNIQUE INDEX ix_agents_oidc_subject ON agents (oidc_subject);
PRAGMA writable_schema=OFF;
COMMIT;
