SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.audit_refuses() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit log is only ever added to'; END $$;
CREATE FUNCTION public.feed_xid(xid8) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $_$SELECT $1::text::bigint + 0$_$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.agents (
    id character varying(40) NOT NULL,
    username character varying(50) NOT NULL,
    username_key text NOT NULL,
    name character varying(80) NOT NULL,
    password_hash character varying(200) NOT NULL,
    role character varying(40) NOT NULL,
    status character varying(20) DEFAULT 'offline'::character varying NOT NULL,
    max_sessions integer DEFAULT 5 NOT NULL,
    must_change_password boolean DEFAULT false NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_at bigint NOT NULL,
    last_login_at bigint,
    failed_logins integer DEFAULT 0 NOT NULL,
    locked_until bigint,
    status_note character varying(120) DEFAULT ''::character varying NOT NULL,
    status_at bigint,
    last_seen_at bigint,
    skills json DEFAULT '[]'::json NOT NULL,
    languages json DEFAULT '[]'::json NOT NULL,
    is_auto boolean DEFAULT false NOT NULL,
    active_at bigint,
    oidc_subject character varying(255),
    is_invited boolean DEFAULT false NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.article_versions (
    article_id character varying(40) NOT NULL,
    version integer NOT NULL,
    title character varying(200) NOT NULL,
    body text NOT NULL,
    at bigint NOT NULL,
    public_at bigint,
    author character varying(40) DEFAULT ''::character varying NOT NULL
);
CREATE TABLE public.articles (
    id character varying(40) NOT NULL,
    shop character varying(64) NOT NULL,
    lang character varying(2) NOT NULL,
    kind character varying(10) NOT NULL,
    slug character varying(80) NOT NULL,
    title character varying(200) NOT NULL,
    body text NOT NULL,
    questions json NOT NULL,
    category character varying(60) NOT NULL,
    tags json NOT NULL,
    status character varying(10) NOT NULL,
    version integer NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    published_at bigint,
    public_version integer,
    author character varying(40) DEFAULT ''::character varying NOT NULL,
    note character varying(500) DEFAULT ''::character varying NOT NULL
);
CREATE TABLE public.assists (
    id character varying(40) NOT NULL,
    session character varying(80) NOT NULL,
    requester_id character varying(40) NOT NULL,
    requester character varying(50) NOT NULL,
    requester_name character varying(80) NOT NULL,
    assistant_id character varying(40) NOT NULL,
    assistant character varying(50) NOT NULL,
    assistant_name character varying(80) NOT NULL,
    question text NOT NULL,
    answer text,
    created_at bigint NOT NULL,
    answered_at bigint
);
CREATE TABLE public.audit_entries (
    seq bigint NOT NULL,
    at bigint NOT NULL,
    actor_id character varying(40) NOT NULL,
    actor_name character varying(80) NOT NULL,
    actor_role character varying(40) NOT NULL,
    action character varying(60) NOT NULL,
    object_type character varying(40) NOT NULL,
    object_id character varying(120) NOT NULL,
    before text,
    after text,
    address character varying(64) NOT NULL,
    user_agent character varying(300) NOT NULL,
    request_id character varying(64) NOT NULL,
    kid character varying(8) NOT NULL,
    hash character varying(64) NOT NULL
);
CREATE TABLE public.audit_head (
    id integer NOT NULL,
    seq bigint NOT NULL,
    hash character varying(64) NOT NULL
);
CREATE TABLE public.bot_settings (
    shop character varying(40) NOT NULL,
    provider character varying(20),
    url character varying(400) DEFAULT ''::character varying NOT NULL,
    key text,
    model character varying(200) DEFAULT ''::character varying NOT NULL,
    cheaper_model character varying(200) DEFAULT ''::character varying NOT NULL,
    deployment character varying(200) DEFAULT ''::character varying NOT NULL,
    api_version character varying(40) DEFAULT ''::character varying NOT NULL,
    coze json DEFAULT '{}'::json NOT NULL,
    persona character varying(80) DEFAULT ''::character varying NOT NULL,
    prompt text DEFAULT ''::text NOT NULL,
    mask_pii boolean DEFAULT true NOT NULL,
    budgets json DEFAULT '{}'::json NOT NULL,
    version integer DEFAULT 0 NOT NULL,
    updated_at bigint NOT NULL,
    updated_by character varying(40) NOT NULL,
    embedding_model character varying(200) DEFAULT ''::character varying NOT NULL,
    prices json DEFAULT '[]'::json NOT NULL,
    reads_messages boolean DEFAULT false NOT NULL
);
CREATE TABLE public.drafts (
    session character varying(80) NOT NULL,
    agent_id character varying(40) NOT NULL,
    content text NOT NULL,
    revision bigint NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.episodes (
    session character varying(80) NOT NULL,
    number integer NOT NULL,
    shop character varying(40) NOT NULL,
    reason character varying(20) NOT NULL,
    started_at bigint NOT NULL,
    taken_at bigint,
    replied_at bigint,
    agent_id character varying(40),
    ended_at bigint,
    ended_by character varying(40),
    rating integer
);
CREATE TABLE public.events (
    "position" bigint NOT NULL,
    stream character varying(120) NOT NULL,
    seq bigint NOT NULL,
    type character varying(60) NOT NULL,
    audience character varying(10) NOT NULL,
    actor text NOT NULL,
    payload text NOT NULL,
    client_msg_id character varying(64),
    at bigint NOT NULL,
    xid bigint DEFAULT public.feed_xid(pg_current_xact_id()) NOT NULL
);
CREATE SEQUENCE public.events_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.events_position_seq OWNED BY public.events."position";
CREATE TABLE public.failed_logins (
    key character varying(80) NOT NULL,
    failures integer NOT NULL,
    last_at bigint NOT NULL,
    locked_until bigint NOT NULL
);
CREATE TABLE public.feed_marks (
    follower character varying(40) NOT NULL,
    xid bigint NOT NULL,
    "position" bigint NOT NULL
);
CREATE TABLE public.files (
    id character varying(40) NOT NULL,
    session character varying(80) NOT NULL,
    owner character varying(40) NOT NULL,
    name character varying(120) NOT NULL,
    media_type character varying(100) NOT NULL,
    size bigint NOT NULL,
    width integer,
    height integer,
    sha256 character varying(64) NOT NULL,
    created_at bigint NOT NULL,
    seq bigint
);
CREATE TABLE public.funnel_pages (
    shop character varying(40) NOT NULL,
    day character varying(10) NOT NULL,
    page character varying(300) NOT NULL,
    referrer character varying(200) NOT NULL,
    impressions integer NOT NULL,
    opens integer NOT NULL
);
CREATE TABLE public.funnel_sessions (
    session character varying(80) NOT NULL,
    shop character varying(40) NOT NULL,
    day character varying(10) NOT NULL,
    page character varying(300) NOT NULL,
    referrer character varying(200) NOT NULL,
    first_message_at bigint,
    answered_at bigint,
    escalated_at bigint,
    rated_at bigint,
    closed_at bigint
);
CREATE TABLE public.golden_questions (
    id character varying(40) NOT NULL,
    shop character varying(40) NOT NULL,
    lang character varying(2) NOT NULL,
    kind character varying(12) NOT NULL,
    question text NOT NULL,
    articles json NOT NULL,
    history json NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.golden_runs (
    id character varying(40) NOT NULL,
    shop character varying(40) NOT NULL,
    set_version character varying(12) NOT NULL,
    knowledge_version integer NOT NULL,
    provider character varying(60) NOT NULL,
    total integer NOT NULL,
    done integer NOT NULL,
    "right" integer NOT NULL,
    scores json NOT NULL,
    wrong json NOT NULL,
    started_by character varying(80) NOT NULL,
    created_at bigint NOT NULL,
    finished_at bigint,
    settings character varying(64) DEFAULT ''::character varying NOT NULL,
    candidate text,
    verdict character varying(12) DEFAULT ''::character varying NOT NULL,
    compared json DEFAULT '{}'::json NOT NULL
);
CREATE TABLE public.indexed_messages (
    "position" bigint NOT NULL,
    session character varying(80) NOT NULL,
    seq bigint NOT NULL,
    words tsvector NOT NULL
);
CREATE TABLE public.jobs (
    id bigint NOT NULL,
    lane character varying(10) NOT NULL,
    kind character varying(60) NOT NULL,
    payload text NOT NULL,
    run_at bigint NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    leased_until bigint,
    leased_by character varying(64),
    is_dead boolean DEFAULT false NOT NULL,
    last_error text,
    created_at bigint NOT NULL,
    key character varying(80)
);
CREATE SEQUENCE public.jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.jobs_id_seq OWNED BY public.jobs.id;
CREATE TABLE public.knowledge_documents (
    id character varying(40) NOT NULL,
    shop character varying(64) NOT NULL,
    article_id character varying(40),
    article_version integer,
    name character varying(120) NOT NULL,
    media_type character varying(100) NOT NULL,
    size bigint NOT NULL,
    sha256 character varying(64) NOT NULL,
    status character varying(10) NOT NULL,
    done bigint NOT NULL,
    total bigint NOT NULL,
    code character varying(40),
    uploaded_by character varying(40) NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.knowledge_states (
    shop character varying(64) NOT NULL,
    version integer NOT NULL,
    stamp character varying(40) NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.knowledge_terms (
    shop character varying(64) NOT NULL,
    lang character varying(2) NOT NULL,
    term character varying(80) NOT NULL,
    passages integer NOT NULL
);
CREATE TABLE public.mentions (
    note_id character varying(40) NOT NULL,
    agent_id character varying(40) NOT NULL,
    at bigint NOT NULL,
    read_at bigint
);
CREATE TABLE public.message_analysis (
    session character varying(80) NOT NULL,
    seq bigint NOT NULL,
    shop character varying(40) NOT NULL,
    at bigint NOT NULL,
    sentiment character varying(10) NOT NULL,
    urgency character varying(10) NOT NULL,
    intent character varying(20) NOT NULL,
    wishes boolean NOT NULL,
    readings json NOT NULL
);
CREATE TABLE public.model_calls (
    id character varying(40) NOT NULL,
    shop character varying(40) NOT NULL,
    session character varying(80) NOT NULL,
    visitor character varying(40) NOT NULL,
    day character varying(10) NOT NULL,
    at bigint NOT NULL,
    expires_at bigint,
    tokens bigint NOT NULL,
    cost bigint NOT NULL
);
CREATE TABLE public.model_usage (
    shop character varying(40) NOT NULL,
    day character varying(10) NOT NULL,
    provider character varying(40) NOT NULL,
    model character varying(200) NOT NULL,
    purpose character varying(40) NOT NULL,
    calls integer NOT NULL,
    tokens_in bigint NOT NULL,
    tokens_out bigint NOT NULL,
    cost bigint NOT NULL,
    unpriced integer DEFAULT 0 NOT NULL
);
CREATE TABLE public.notes (
    id character varying(40) NOT NULL,
    session character varying(80) NOT NULL,
    content text NOT NULL,
    author_id character varying(40) NOT NULL,
    author_username character varying(50) NOT NULL,
    author_name character varying(80) NOT NULL,
    mentions json NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.passage_vectors (
    shop character varying(64) NOT NULL,
    sense_hash character varying(64) NOT NULL,
    model character varying(240) NOT NULL,
    vector bytea NOT NULL
);
CREATE TABLE public.passages (
    number bigint NOT NULL,
    id character varying(60) NOT NULL,
    article_id character varying(40) NOT NULL,
    version integer NOT NULL,
    shop character varying(64) NOT NULL,
    lang character varying(2) NOT NULL,
    ordinal integer NOT NULL,
    heading character varying(200) NOT NULL,
    text text NOT NULL,
    text_hash character varying(64) NOT NULL,
    tokens text NOT NULL,
    title_tokens text NOT NULL,
    asked_tokens text NOT NULL,
    part integer DEFAULT 0 NOT NULL,
    is_page boolean DEFAULT false NOT NULL,
    sense_hash character varying(64) DEFAULT ''::character varying NOT NULL
);
CREATE SEQUENCE public.passages_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.passages_number_seq OWNED BY public.passages.number;
CREATE TABLE public.policy_backtests (
    id character varying(40) NOT NULL,
    state character varying(10) NOT NULL,
    candidate json NOT NULL,
    baseline json NOT NULL,
    shop character varying(40),
    since bigint NOT NULL,
    until bigint NOT NULL,
    within_minutes integer NOT NULL,
    total integer NOT NULL,
    looked_at integer NOT NULL,
    place json,
    found json NOT NULL,
    started_at bigint NOT NULL,
    started_by character varying(80) NOT NULL,
    ended_at bigint
);
CREATE TABLE public.policy_drafts (
    id integer NOT NULL,
    policies json NOT NULL,
    revision integer NOT NULL,
    based_on integer NOT NULL,
    changed_at bigint NOT NULL,
    changed_by character varying(80) NOT NULL
);
CREATE TABLE public.policy_versions (
    number integer NOT NULL,
    policies json NOT NULL,
    note character varying(200) NOT NULL,
    published_at bigint NOT NULL,
    published_by character varying(40) NOT NULL,
    publisher_name character varying(80) NOT NULL
);
CREATE TABLE public.provider_conversations (
    place character varying(64) NOT NULL,
    conversation character varying(80) NOT NULL,
    name character varying(100) NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.quick_replies (
    id character varying(40) NOT NULL,
    owner character varying(40) NOT NULL,
    created_by character varying(40) NOT NULL,
    category character varying(20) NOT NULL,
    title character varying(50) NOT NULL,
    content text NOT NULL,
    words text NOT NULL,
    shortcut integer,
    usage_count integer NOT NULL,
    used_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.read_marks (
    session character varying(80) NOT NULL,
    reader character varying(40) NOT NULL,
    seq bigint NOT NULL,
    read_count integer NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.refresh_tokens (
    hash character varying(64) NOT NULL,
    family character varying(40) NOT NULL,
    agent_id character varying(40) NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    revoked_at bigint
);
CREATE TABLE public.roles (
    id character varying(40) NOT NULL,
    name_en character varying(40) NOT NULL,
    name_zh character varying(40) NOT NULL,
    permissions json NOT NULL,
    version integer NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.second_factors (
    agent_id character varying(40) NOT NULL,
    secret text NOT NULL,
    confirmed_at bigint,
    last_step bigint NOT NULL,
    recovery text NOT NULL
);
CREATE TABLE public.session_guests (
    session character varying(80) NOT NULL,
    agent_id character varying(40) NOT NULL,
    reason character varying(20) NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE public.session_tags (
    session character varying(80) NOT NULL,
    tag character varying(40) NOT NULL,
    by text NOT NULL,
    at bigint NOT NULL,
    is_auto boolean NOT NULL
);
CREATE TABLE public.sessions (
    name character varying(80) NOT NULL,
    shop character varying(40) NOT NULL,
    status character varying(20) NOT NULL,
    epoch integer NOT NULL,
    seq bigint NOT NULL,
    locale character varying(2) NOT NULL,
    conversation_id character varying(40) NOT NULL,
    nickname character varying(80),
    is_vip boolean NOT NULL,
    agent_id character varying(40),
    agent_name character varying(80),
    escalation_reason character varying(20),
    escalation_details text,
    escalation_severity character varying(10),
    escalated_at bigint,
    escalation_count integer NOT NULL,
    message_count integer NOT NULL,
    ai_fail_count integer NOT NULL,
    last_role character varying(10),
    last_text character varying(80),
    last_message_at bigint,
    last_visitor_seq bigint NOT NULL,
    answered_seq bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    manual_started_at bigint,
    manual_ended_at bigint,
    closed_at bigint,
    visitor_message_count integer DEFAULT 0 NOT NULL,
    visitor_id character varying(40) DEFAULT ''::character varying NOT NULL,
    episode integer DEFAULT 0 NOT NULL,
    replied_at bigint,
    email text,
    mail_status character varying(10),
    assigned_until bigint,
    urgent_words integer DEFAULT 0 NOT NULL,
    reminded integer DEFAULT 0 NOT NULL,
    tags json DEFAULT '[]'::json NOT NULL,
    rating integer,
    merged_into character varying(80),
    customer json,
    identity_epoch integer DEFAULT 0 NOT NULL
);
CREATE TABLE public.shadow_drafts (
    session character varying(80) NOT NULL,
    seq bigint NOT NULL,
    shop character varying(40) NOT NULL,
    intent character varying(60) NOT NULL,
    answered boolean NOT NULL,
    agreement double precision NOT NULL,
    same_article boolean,
    at bigint NOT NULL
);
CREATE TABLE public.shop_secrets (
    id character varying(40) NOT NULL,
    shop character varying(40) NOT NULL,
    sealed text NOT NULL,
    created_at bigint NOT NULL,
    retired_at bigint
);
CREATE TABLE public.shops (
    id character varying(40) NOT NULL,
    name json NOT NULL,
    locales json NOT NULL,
    bot_name json NOT NULL,
    description json NOT NULL,
    welcome json NOT NULL,
    suggestions json NOT NULL,
    color character varying(7) NOT NULL,
    is_demo boolean NOT NULL,
    is_default boolean NOT NULL,
    created_at bigint NOT NULL,
    hours json,
    hours_version integer DEFAULT 0 NOT NULL,
    mail_to json DEFAULT '[]'::json NOT NULL,
    routing json DEFAULT '{}'::json NOT NULL,
    crowded_at bigint,
    identity_mode character varying(10) DEFAULT 'off'::character varying NOT NULL,
    identity_required boolean DEFAULT false NOT NULL,
    origins json,
    security_version integer DEFAULT 0 NOT NULL,
    index_key text,
    is_shadow boolean DEFAULT false NOT NULL,
    invitations json DEFAULT '[]'::json NOT NULL,
    invitations_version integer DEFAULT 0 NOT NULL,
    look json,
    look_version integer DEFAULT 0 NOT NULL
);
CREATE TABLE public.stints (
    session character varying(80) NOT NULL,
    seq bigint NOT NULL,
    episode integer NOT NULL,
    shop character varying(40) NOT NULL,
    agent_id character varying(40) NOT NULL,
    started_at bigint NOT NULL,
    replied_at bigint,
    ended_at bigint,
    ended_by character varying(40),
    rating integer
);
CREATE TABLE public.suggestions (
    id character varying(40) NOT NULL,
    session character varying(80) NOT NULL,
    for_seq bigint NOT NULL,
    at bigint NOT NULL,
    rank integer NOT NULL,
    text text NOT NULL,
    confidence double precision NOT NULL,
    sources json NOT NULL,
    made_by json NOT NULL,
    outcome character varying(10),
    outcome_by character varying(40),
    outcome_at bigint,
    sent_seq bigint,
    distance integer
);
CREATE TABLE public.tags (
    id character varying(40) NOT NULL,
    name json NOT NULL,
    name_key character varying(80) NOT NULL,
    "group" character varying(20) NOT NULL,
    color character varying(7) NOT NULL,
    icon character varying(16) NOT NULL,
    description character varying(200) NOT NULL,
    rules json NOT NULL,
    is_archived boolean NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.tellings (
    id character varying(40) NOT NULL,
    agent_id character varying(40) NOT NULL,
    type character varying(60) NOT NULL,
    data text NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.transfer_requests (
    id character varying(40) NOT NULL,
    session character varying(80) NOT NULL,
    requested_by character varying(40) NOT NULL,
    from_agent_id character varying(40) NOT NULL,
    from_agent_name character varying(80) NOT NULL,
    to_agent_id character varying(40) NOT NULL,
    to_agent_name character varying(80) NOT NULL,
    reason character varying(200) NOT NULL,
    note text NOT NULL,
    status character varying(10) NOT NULL,
    is_forced boolean NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    responded_at bigint,
    response_note text NOT NULL,
    ended_by character varying(20)
);
CREATE TABLE public.unanswered_questions (
    id character varying(40) NOT NULL,
    shop character varying(64) NOT NULL,
    lang character varying(2) NOT NULL,
    key character varying(64) NOT NULL,
    asked character varying(500) NOT NULL,
    times integer NOT NULL,
    examples json NOT NULL,
    status character varying(10) NOT NULL,
    article_id character varying(40),
    first_at bigint NOT NULL,
    last_at bigint NOT NULL
);
CREATE TABLE public.vector_states (
    shop character varying(64) NOT NULL,
    model character varying(240) NOT NULL,
    stamp character varying(40) NOT NULL,
    done integer NOT NULL,
    total integer NOT NULL,
    reason character varying(20) NOT NULL,
    updated_at bigint NOT NULL
);
ALTER TABLE ONLY public.events ALTER COLUMN "position" SET DEFAULT nextval('public.events_position_seq'::regclass);
ALTER TABLE ONLY public.jobs ALTER COLUMN id SET DEFAULT nextval('public.jobs_id_seq'::regclass);
ALTER TABLE ONLY public.passages ALTER COLUMN number SET DEFAULT nextval('public.passages_number_seq'::regclass);
INSERT INTO public.agents VALUES ('id of agents', 'username of agents', 'username_key of agents', 'name of agents', 'password_hash of agents', 'agent', 'status of agents', 1, false, false, 1, 1, 1, 1, 'status_note of agents', 1, 1, '{}', '{}', false, 1, 'oidc_subject of agents', false);
INSERT INTO public.alembic_version VALUES ('0030');
INSERT INTO public.article_versions VALUES ('id of articles', 1, 'title of article_versions', 'body of article_versions', 1, 1, 'author of article_versions');
INSERT INTO public.articles VALUES ('id of articles', 'shop of articles', 'en', 'article', 'slug of articles', 'title of articles', 'body of articles', '[]', 'category of articles', '[]', 'published', 1, 1, 1, 1, 1, 'author of articles', 'note of articles');
INSERT INTO public.assists VALUES ('id of assists', 'session of assists', 'requester_id of assists', 'requester of assists', 'requester_name of assists', 'assistant_id of assists', 'assistant of assists', 'assistant_name of assists', 'question of assists', 'answer of assists', 1, 1);
INSERT INTO public.audit_entries VALUES (1, 1, 'actor_id of audit_entries', 'actor_name of audit_entries', 'actor_role of audit_entries', 'action of audit_entries', 'object_type of audit_entries', 'object_id of audit_entries', 'before of audit_entries', 'after of audit_entries', 'address of audit_entries', 'user_agent of audit_entries', 'request_id of audit_entries', 'kid of a', 'hash of audit_entries');
INSERT INTO public.audit_head VALUES (1, 1, 'hash of audit_head');
INSERT INTO public.bot_settings VALUES ('id of shops', 'provider of bot_sett', 'url of bot_settings', 'key of bot_settings', 'model of bot_settings', 'cheaper_model of bot_settings', 'deployment of bot_settings', 'api_version of bot_settings', '{}', 'persona of bot_settings', 'prompt of bot_settings', false, '{}', 1, 1, 'updated_by of bot_settings', 'embedding_model of bot_settings', '{}', false);
INSERT INTO public.drafts VALUES ('session of drafts', 'agent_id of drafts', 'content of drafts', 1, 1);
INSERT INTO public.episodes VALUES ('session of episodes', 1, 'shop of episodes', 'reason of episodes', 1, 1, 1, 'agent_id of episodes', 1, 'ended_by of episodes', 1);
INSERT INTO public.events VALUES (1, 'session/old', 1, 'message.posted', 'public', '{"kind":"visitor"}', '{"role":"user","content":"from long ago"}', 'client_msg_id of events', 1, 0);
INSERT INTO public.failed_logins VALUES ('key of failed_logins', 1, 1, 1);
INSERT INTO public.feed_marks VALUES ('follower of feed_marks', 1, 1);
INSERT INTO public.files VALUES ('id of files', 'old', 'owner of files', 'name of files', 'media_type of files', 1, 1, 1, 'sha256 of files', 1, 1);
INSERT INTO public.funnel_pages VALUES ('shop of funnel_pages', 'day of fun', 'page of funnel_pages', 'referrer of funnel_pages', 1, 1);
INSERT INTO public.funnel_sessions VALUES ('old', 'shop of funnel_sessions', 'day of fun', 'page of funnel_sessions', 'referrer of funnel_sessions', 1, 1, 1, 1, 1);
INSERT INTO public.golden_questions VALUES ('id of golden_questions', 'id of shops', 'la', 'kind of gold', 'question of golden_questions', '{}', '{}', 1);
INSERT INTO public.golden_runs VALUES ('id of golden_runs', 'id of shops', 'set_version ', 1, 'provider of golden_runs', 1, 1, 1, '{}', '{}', 'started_by of golden_runs', 1, 1, 'settings of golden_runs', 'candidate of golden_runs', 'verdict of g', '{}');
INSERT INTO public.indexed_messages VALUES (1, 'session of indexed_messages', 1, '''indexed_messages'' ''of'' ''words''');
INSERT INTO public.jobs VALUES (1, 'bulk', 'unknown', '{}', 9000000000000, 1, 1, 'leased_by of jobs', false, 'last_error of jobs', 1, 'key of jobs');
INSERT INTO public.knowledge_documents VALUES ('id of knowledge_documents', 'shop of knowledge_documents', 'id of articles', 1, 'name of knowledge_documents', 'media_type of knowledge_documents', 1, 'sha256 of knowledge_documents', 'status of ', 1, 1, 'code of knowledge_documents', 'uploaded_by of knowledge_documents', 1, 1);
INSERT INTO public.knowledge_states VALUES ('shop of knowledge_states', 1, 'stamp of knowledge_states', 1);
INSERT INTO public.knowledge_terms VALUES ('shop of knowledge_terms', 'la', 'term of knowledge_terms', 1);
INSERT INTO public.mentions VALUES ('id of notes', 'agent_id of mentions', 1, 1);
INSERT INTO public.message_analysis VALUES ('old', 1, 'shop of message_analysis', 1, 'sentiment ', 'urgency of', 'intent of message_an', false, '{}');
INSERT INTO public.model_calls VALUES ('id of model_calls', 'shop of model_calls', 'session of model_calls', 'visitor of model_calls', 'day of mod', 1, 1, 1, 1);
INSERT INTO public.model_usage VALUES ('shop of model_usage', 'day of mod', 'provider of model_usage', 'model of model_usage', 'purpose of model_usage', 1, 1, 1, 1, 1);
INSERT INTO public.notes VALUES ('id of notes', 'session of notes', 'content of notes', 'author_id of notes', 'author_username of notes', 'author_name of notes', '{}', 1, 1);
INSERT INTO public.passage_vectors VALUES ('shop of passage_vectors', 'sense_hash of passage_vectors', 'model of passage_vectors', '\x00000000');
INSERT INTO public.passages VALUES (1, 'id of passages', 'id of articles', 1, 'shop of passages', 'en', 1, 'heading of passages', 'text of passages', 'text_hash of passages', 'tokens of passages', 'title_tokens of passages', 'asked_tokens of passages', 1, false, 'sense_hash of passages');
INSERT INTO public.policy_backtests VALUES ('id of policy_backtests', 'state of p', '{}', '{}', 'shop of policy_backtests', 1, 1, 1, 1, 1, '{}', '{}', 1, 'started_by of policy_backtests', 1);
INSERT INTO public.policy_drafts VALUES (1, '{}', 1, 1, 1, 'changed_by of policy_drafts');
INSERT INTO public.policy_versions VALUES (1, '{}', 'note of policy_versions', 1, 'published_by of policy_versions', 'publisher_name of policy_versions');
INSERT INTO public.provider_conversations VALUES ('place of provider_conversations', 'conversation of provider_conversations', 'name of provider_conversations', 1);
INSERT INTO public.quick_replies VALUES ('id of quick_replies', 'owner of quick_replies', 'created_by of quick_replies', 'category of quick_re', 'title of quick_replies', 'content of quick_replies', 'words of quick_replies', 1, 1, 1, 1, 1);
INSERT INTO public.read_marks VALUES ('session of read_marks', 'reader of read_marks', 1, 1, 1);
INSERT INTO public.refresh_tokens VALUES ('hash of refresh_tokens', 'family of refresh_tokens', 'id of agents', 1, 1, 1, 1);
INSERT INTO public.roles VALUES ('custom', 'name_en of roles', 'name_zh of roles', '["sessions.read"]', 1, 1);
INSERT INTO public.second_factors VALUES ('id of agents', 'secret of second_factors', 1, 1, 'recovery of second_factors');
INSERT INTO public.session_guests VALUES ('session of session_guests', 'agent_id of session_guests', 'reason of session_gu', 1);
INSERT INTO public.session_tags VALUES ('session of session_tags', 'tag of session_tags', 'by of session_tags', 1, false);
INSERT INTO public.sessions VALUES ('old', 'shop of sessions', 'bot_active', 0, 2, 'en', 'conversation_id of sessions', 'nickname of sessions', false, 'agent_id of sessions', 'agent_name of sessions', 'escalation_reason of', 'escalation_details of sessions', 'escalation', 1, 1, 1, 1, 'last_role ', 'last_text of sessions', 1, 1, 1, 1, 1, 1, 1, 1, 1, 'visitor_id of sessions', 1, 1, 'email of sessions', 'mail_statu', 1, 1, 1, '{}', 1, 'merged_into of sessions', '{}', 1);
INSERT INTO public.shadow_drafts VALUES ('session of shadow_drafts', 1, 'shop of shadow_drafts', 'intent of shadow_drafts', false, 1, false, 1);
INSERT INTO public.shop_secrets VALUES ('id of shop_secrets', 'id of shops', 'sealed of shop_secrets', 1, 1);
INSERT INTO public.shops VALUES ('id of shops', '{}', '{}', '{}', '{}', '{}', '{}', 'color o', false, false, 1, '{}', 1, '{}', '{}', 1, 'identity_m', false, '{}', 1, 'index_key of shops', false, '{}', 1, '{}', 1);
INSERT INTO public.stints VALUES ('session of stints', 1, 1, 'shop of stints', 'agent_id of stints', 1, 1, 1, 'ended_by of stints', 1);
INSERT INTO public.suggestions VALUES ('id of suggestions', 'old', 1, 1, 1, 'text of suggestions', 1, '{}', '{}', 'outcome of', 'outcome_by of suggestions', 1, 1, 1);
INSERT INTO public.tags VALUES ('id of tags', '{}', 'name_key of tags', 'group of tags', 'color o', 'icon of tags', 'description of tags', '{}', false, 1);
INSERT INTO public.tellings VALUES ('id of tellings', 'agent_id of tellings', 'type of tellings', 'data of tellings', 1);
INSERT INTO public.transfer_requests VALUES ('id of transfer_requests', 'session of transfer_requests', 'requested_by of transfer_requests', 'from_agent_id of transfer_requests', 'from_agent_name of transfer_requests', 'to_agent_id of transfer_requests', 'to_agent_name of transfer_requests', 'reason of transfer_requests', 'note of transfer_requests', 'status of ', false, 1, 1, 1, 'response_note of transfer_requests', 'ended_by of transfer');
INSERT INTO public.unanswered_questions VALUES ('id of unanswered_questions', 'shop of unanswered_questions', 'la', 'key of unanswered_questions', 'asked of unanswered_questions', 1, '{}', 'status of ', 'id of articles', 1, 1);
INSERT INTO public.vector_states VALUES ('shop of vector_states', 'model of vector_states', 'stamp of vector_states', 1, 1, 'reason of vector_sta', 1);
SELECT pg_catalog.setval('public.events_position_seq', 1, false);
SELECT pg_catalog.setval('public.jobs_id_seq', 1, false);
SELECT pg_catalog.setval('public.passages_number_seq', 1, false);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.agents
    ADD CONSTRAINT pk_agents PRIMARY KEY (id);
ALTER TABLE ONLY public.article_versions
    ADD CONSTRAINT pk_article_versions PRIMARY KEY (article_id, version);
ALTER TABLE ONLY public.articles
    ADD CONSTRAINT pk_articles PRIMARY KEY (id);
ALTER TABLE ONLY public.assists
    ADD CONSTRAINT pk_assists PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT pk_audit_entries PRIMARY KEY (seq);
ALTER TABLE ONLY public.audit_head
    ADD CONSTRAINT pk_audit_head PRIMARY KEY (id);
ALTER TABLE ONLY public.bot_settings
    ADD CONSTRAINT pk_bot_settings PRIMARY KEY (shop);
ALTER TABLE ONLY public.drafts
    ADD CONSTRAINT pk_drafts PRIMARY KEY (session, agent_id);
ALTER TABLE ONLY public.episodes
    ADD CONSTRAINT pk_episodes PRIMARY KEY (session, number);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY ("position");
ALTER TABLE ONLY public.failed_logins
    ADD CONSTRAINT pk_failed_logins PRIMARY KEY (key);
ALTER TABLE ONLY public.feed_marks
    ADD CONSTRAINT pk_feed_marks PRIMARY KEY (follower);
ALTER TABLE ONLY public.files
    ADD CONSTRAINT pk_files PRIMARY KEY (id);
ALTER TABLE ONLY public.funnel_pages
    ADD CONSTRAINT pk_funnel_pages PRIMARY KEY (shop, day, page, referrer);
ALTER TABLE ONLY public.funnel_sessions
    ADD CONSTRAINT pk_funnel_sessions PRIMARY KEY (session);
ALTER TABLE ONLY public.golden_questions
    ADD CONSTRAINT pk_golden_questions PRIMARY KEY (id);
ALTER TABLE ONLY public.golden_runs
    ADD CONSTRAINT pk_golden_runs PRIMARY KEY (id);
ALTER TABLE ONLY public.indexed_messages
    ADD CONSTRAINT pk_indexed_messages PRIMARY KEY ("position");
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (id);
ALTER TABLE ONLY public.knowledge_documents
    ADD CONSTRAINT pk_knowledge_documents PRIMARY KEY (id);
ALTER TABLE ONLY public.knowledge_states
    ADD CONSTRAINT pk_knowledge_states PRIMARY KEY (shop);
ALTER TABLE ONLY public.knowledge_terms
    ADD CONSTRAINT pk_knowledge_terms PRIMARY KEY (shop, lang, term);
ALTER TABLE ONLY public.mentions
    ADD CONSTRAINT pk_mentions PRIMARY KEY (note_id, agent_id);
ALTER TABLE ONLY public.message_analysis
    ADD CONSTRAINT pk_message_analysis PRIMARY KEY (session, seq);
ALTER TABLE ONLY public.model_calls
    ADD CONSTRAINT pk_model_calls PRIMARY KEY (id);
ALTER TABLE ONLY public.model_usage
    ADD CONSTRAINT pk_model_usage PRIMARY KEY (shop, day, provider, model, purpose);
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT pk_notes PRIMARY KEY (id);
ALTER TABLE ONLY public.passage_vectors
    ADD CONSTRAINT pk_passage_vectors PRIMARY KEY (shop, sense_hash, model);
ALTER TABLE ONLY public.passages
    ADD CONSTRAINT pk_passages PRIMARY KEY (number);
ALTER TABLE ONLY public.policy_backtests
    ADD CONSTRAINT pk_policy_backtests PRIMARY KEY (id);
ALTER TABLE ONLY public.policy_drafts
    ADD CONSTRAINT pk_policy_drafts PRIMARY KEY (id);
ALTER TABLE ONLY public.policy_versions
    ADD CONSTRAINT pk_policy_versions PRIMARY KEY (number);
ALTER TABLE ONLY public.provider_conversations
    ADD CONSTRAINT pk_provider_conversations PRIMARY KEY (place, conversation);
ALTER TABLE ONLY public.quick_replies
    ADD CONSTRAINT pk_quick_replies PRIMARY KEY (id);
ALTER TABLE ONLY public.read_marks
    ADD CONSTRAINT pk_read_marks PRIMARY KEY (session, reader);
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT pk_refresh_tokens PRIMARY KEY (hash);
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT pk_roles PRIMARY KEY (id);
ALTER TABLE ONLY public.second_factors
    ADD CONSTRAINT pk_second_factors PRIMARY KEY (agent_id);
ALTER TABLE ONLY public.session_guests
    ADD CONSTRAINT pk_session_guests PRIMARY KEY (session, agent_id);
ALTER TABLE ONLY public.session_tags
    ADD CONSTRAINT pk_session_tags PRIMARY KEY (session, tag);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT pk_sessions PRIMARY KEY (name);
ALTER TABLE ONLY public.shadow_drafts
    ADD CONSTRAINT pk_shadow_drafts PRIMARY KEY (session, seq);
ALTER TABLE ONLY public.shop_secrets
    ADD CONSTRAINT pk_shop_secrets PRIMARY KEY (id);
ALTER TABLE ONLY public.shops
    ADD CONSTRAINT pk_shops PRIMARY KEY (id);
ALTER TABLE ONLY public.stints
    ADD CONSTRAINT pk_stints PRIMARY KEY (session, seq);
ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT pk_suggestions PRIMARY KEY (id);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT pk_tags PRIMARY KEY (id);
ALTER TABLE ONLY public.tellings
    ADD CONSTRAINT pk_tellings PRIMARY KEY (id);
ALTER TABLE ONLY public.transfer_requests
    ADD CONSTRAINT pk_transfer_requests PRIMARY KEY (id);
ALTER TABLE ONLY public.unanswered_questions
    ADD CONSTRAINT pk_unanswered_questions PRIMARY KEY (id);
ALTER TABLE ONLY public.vector_states
    ADD CONSTRAINT pk_vector_states PRIMARY KEY (shop);
ALTER TABLE ONLY public.agents
    ADD CONSTRAINT uq_agents_username_key UNIQUE (username_key);
ALTER TABLE ONLY public.articles
    ADD CONSTRAINT uq_articles_shop_lang_slug UNIQUE (shop, lang, slug);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT uq_events_stream_seq UNIQUE (stream, seq);
ALTER TABLE ONLY public.knowledge_documents
    ADD CONSTRAINT uq_knowledge_documents_shop_sha256 UNIQUE (shop, sha256);
ALTER TABLE ONLY public.passages
    ADD CONSTRAINT uq_passages_id UNIQUE (id);
ALTER TABLE ONLY public.quick_replies
    ADD CONSTRAINT uq_quick_replies_owner UNIQUE (owner, shortcut);
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT uq_roles_name_en UNIQUE (name_en);
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT uq_roles_name_zh UNIQUE (name_zh);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT uq_tags_name_key UNIQUE (name_key);
ALTER TABLE ONLY public.unanswered_questions
    ADD CONSTRAINT uq_unanswered_questions_shop_lang_key UNIQUE (shop, lang, key);
CREATE UNIQUE INDEX ix_agents_oidc_subject ON public.agents USING btree (oidc_subject);
CREATE INDEX ix_articles_shop_updated_at ON public.articles USING btree (shop, updated_at, id);
CREATE INDEX ix_assists_assistant_id_created_at ON public.assists USING btree (assistant_id, created_at);
CREATE INDEX ix_assists_requester_id_created_at ON public.assists USING btree (requester_id, created_at);
CREATE INDEX ix_assists_session_created_at ON public.assists USING btree (session, created_at);
CREATE INDEX ix_audit_entries_action ON public.audit_entries USING btree (action, at, seq);
CREATE INDEX ix_audit_entries_actor ON public.audit_entries USING btree (actor_id, at, seq);
CREATE INDEX ix_audit_entries_at ON public.audit_entries USING btree (at, seq);
CREATE INDEX ix_audit_entries_object ON public.audit_entries USING btree (object_type, object_id, at, seq);
CREATE INDEX ix_episodes_shop_started_at ON public.episodes USING btree (shop, started_at);
CREATE INDEX ix_episodes_shop_taken_at ON public.episodes USING btree (shop, taken_at);
CREATE INDEX ix_events_xid_position ON public.events USING btree (xid, "position");
CREATE INDEX ix_failed_logins_last_at ON public.failed_logins USING btree (last_at);
CREATE INDEX ix_files_session_owner ON public.files USING btree (session, owner);
CREATE INDEX ix_files_sha256 ON public.files USING btree (sha256);
CREATE INDEX ix_files_unsent ON public.files USING btree (created_at) WHERE (seq IS NULL);
CREATE INDEX ix_funnel_sessions_day ON public.funnel_sessions USING btree (day);
CREATE INDEX ix_funnel_sessions_shop_day ON public.funnel_sessions USING btree (shop, day);
CREATE INDEX ix_golden_questions_shop_created_at ON public.golden_questions USING btree (shop, created_at);
CREATE INDEX ix_golden_runs_shop_created_at ON public.golden_runs USING btree (shop, created_at);
CREATE INDEX ix_indexed_messages_session ON public.indexed_messages USING btree (session);
CREATE INDEX ix_indexed_messages_words ON public.indexed_messages USING gin (words);
CREATE INDEX ix_jobs_due ON public.jobs USING btree (lane, run_at) WHERE (NOT is_dead);
CREATE INDEX ix_knowledge_documents_article_id ON public.knowledge_documents USING btree (article_id);
CREATE INDEX ix_knowledge_documents_created_at ON public.knowledge_documents USING btree (shop, created_at, id);
CREATE INDEX ix_knowledge_documents_sha256 ON public.knowledge_documents USING btree (sha256);
CREATE INDEX ix_mentions_agent_id_at ON public.mentions USING btree (agent_id, at);
CREATE INDEX ix_message_analysis_shop_at ON public.message_analysis USING btree (shop, at);
CREATE INDEX ix_model_calls_at ON public.model_calls USING btree (at);
CREATE INDEX ix_model_calls_session ON public.model_calls USING btree (session);
CREATE INDEX ix_model_calls_shop_expires_at ON public.model_calls USING btree (shop, expires_at);
CREATE INDEX ix_model_calls_visitor_day ON public.model_calls USING btree (visitor, day);
CREATE INDEX ix_notes_session_created_at ON public.notes USING btree (session, created_at);
CREATE INDEX ix_passages_article_id ON public.passages USING btree (article_id);
CREATE INDEX ix_passages_sense_hash ON public.passages USING btree (sense_hash);
CREATE INDEX ix_passages_shop_lang ON public.passages USING btree (shop, lang);
CREATE INDEX ix_passages_tokens ON public.passages USING gin (array_to_tsvector(array_remove(string_to_array(((((tokens || ' '::text) || title_tokens) || ' '::text) || asked_tokens), ' '::text), ''::text))) WITH (gin_pending_list_limit='64');
CREATE INDEX ix_policy_backtests_started_at ON public.policy_backtests USING btree (started_at);
CREATE INDEX ix_quick_replies_owner_usage ON public.quick_replies USING btree (owner, usage_count, id);
CREATE INDEX ix_refresh_tokens_agent_id ON public.refresh_tokens USING btree (agent_id);
CREATE INDEX ix_refresh_tokens_family ON public.refresh_tokens USING btree (family);
CREATE INDEX ix_session_guests_agent_id_until ON public.session_guests USING btree (agent_id, until);
CREATE INDEX ix_session_tags_tag_at ON public.session_tags USING btree (tag, at, session);
CREATE INDEX ix_sessions_agent_id_updated_at ON public.sessions USING btree (agent_id, updated_at);
CREATE INDEX ix_sessions_created_at ON public.sessions USING btree (created_at);
CREATE INDEX ix_sessions_shop_updated_at ON public.sessions USING btree (shop, updated_at);
CREATE INDEX ix_sessions_status_updated_at ON public.sessions USING btree (status, updated_at);
CREATE INDEX ix_sessions_updated_at ON public.sessions USING btree (updated_at);
CREATE INDEX ix_sessions_vip_updated_at ON public.sessions USING btree (updated_at) WHERE is_vip;
CREATE INDEX ix_sessions_visitor_id_created_at ON public.sessions USING btree (visitor_id, created_at);
CREATE INDEX ix_shadow_drafts_shop_at ON public.shadow_drafts USING btree (shop, at);
CREATE INDEX ix_shop_secrets_shop ON public.shop_secrets USING btree (shop);
CREATE INDEX ix_stints_agent_id_ended_at ON public.stints USING btree (agent_id, ended_at);
CREATE INDEX ix_stints_shop_started_at ON public.stints USING btree (shop, started_at);
CREATE INDEX ix_suggestions_outcome_at ON public.suggestions USING btree (outcome_at);
CREATE INDEX ix_suggestions_session_at ON public.suggestions USING btree (session, at);
CREATE INDEX ix_tellings_at ON public.tellings USING btree (at);
CREATE INDEX ix_transfer_requests_from_agent_id ON public.transfer_requests USING btree (from_agent_id, status);
CREATE INDEX ix_transfer_requests_requested_by ON public.transfer_requests USING btree (requested_by, status);
CREATE INDEX ix_transfer_requests_session_created_at ON public.transfer_requests USING btree (session, created_at);
CREATE INDEX ix_transfer_requests_to_agent_id ON public.transfer_requests USING btree (to_agent_id, status);
CREATE INDEX ix_unanswered_questions_list ON public.unanswered_questions USING btree (shop, status, times, id);
CREATE UNIQUE INDEX uq_events_stream_client_msg_id ON public.events USING btree (stream, client_msg_id) WHERE (client_msg_id IS NOT NULL);
CREATE UNIQUE INDEX uq_jobs_key ON public.jobs USING btree (key) WHERE (key IS NOT NULL);
CREATE UNIQUE INDEX uq_transfer_requests_open ON public.transfer_requests USING btree (session) WHERE ((status)::text = 'pending'::text);
CREATE TRIGGER audit_entries_stays BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_entries FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuses();
CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON public.audit_head FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuses();
ALTER TABLE ONLY public.article_versions
    ADD CONSTRAINT fk_article_versions_article_id FOREIGN KEY (article_id) REFERENCES public.articles(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.bot_settings
    ADD CONSTRAINT fk_bot_settings_shop FOREIGN KEY (shop) REFERENCES public.shops(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.files
    ADD CONSTRAINT fk_files_session FOREIGN KEY (session) REFERENCES public.sessions(name) ON DELETE CASCADE;
ALTER TABLE ONLY public.funnel_sessions
    ADD CONSTRAINT fk_funnel_sessions_session FOREIGN KEY (session) REFERENCES public.sessions(name) ON DELETE CASCADE;
ALTER TABLE ONLY public.golden_questions
    ADD CONSTRAINT fk_golden_questions_shop FOREIGN KEY (shop) REFERENCES public.shops(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.golden_runs
    ADD CONSTRAINT fk_golden_runs_shop FOREIGN KEY (shop) REFERENCES public.shops(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.knowledge_documents
    ADD CONSTRAINT fk_knowledge_documents_article_id FOREIGN KEY (article_id) REFERENCES public.articles(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.mentions
    ADD CONSTRAINT fk_mentions_note_id_notes FOREIGN KEY (note_id) REFERENCES public.notes(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.message_analysis
    ADD CONSTRAINT fk_message_analysis_session FOREIGN KEY (session) REFERENCES public.sessions(name) ON DELETE CASCADE;
ALTER TABLE ONLY public.passages
    ADD CONSTRAINT fk_passages_article_id FOREIGN KEY (article_id) REFERENCES public.articles(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT fk_refresh_tokens_agent_id FOREIGN KEY (agent_id) REFERENCES public.agents(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.second_factors
    ADD CONSTRAINT fk_second_factors_agent_id FOREIGN KEY (agent_id) REFERENCES public.agents(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.shop_secrets
    ADD CONSTRAINT fk_shop_secrets_shop FOREIGN KEY (shop) REFERENCES public.shops(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.suggestions
    ADD CONSTRAINT fk_suggestions_session FOREIGN KEY (session) REFERENCES public.sessions(name) ON DELETE CASCADE;
ALTER TABLE ONLY public.unanswered_questions
    ADD CONSTRAINT fk_unanswered_questions_article_id FOREIGN KEY (article_id) REFERENCES public.articles(id) ON DELETE SET NULL;
