"""Who does which work: the workers of `kefu serve` and `kefu worker`, and the models that help them."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from kefu.ai.budget import Books
from kefu.ai.ports import EmbedderOf, ModelOf
from kefu.ai.telling import Line
from kefu.answering.bot_settings import own_prices
from kefu.answering.builtin import BuiltinAnswerer
from kefu.answering.meaning import Meaning
from kefu.answering.model import ModelAnswerer
from kefu.answering.models_of import ModelsOf, rehearsing
from kefu.answering.ports import Answerer
from kefu.answering.scripted import ScriptedAnswerer
from kefu.answering.service import Bot
from kefu.answering.unanswered import collect_questions
from kefu.assisting.handover import Handover
from kefu.assisting.helping import Proposing
from kefu.assisting.model_reading import ModelReader, ReadByModel
from kefu.assisting.reading import read_messages
from kefu.assisting.work import PrepareHelp, ReadMessages
from kefu.backups.work import Backups, RunBackup
from kefu.bus.ports import Bus
from kefu.channels.mailing import Mailing
from kefu.collaboration.rules import tag_by_rules
from kefu.files.models import File
from kefu.files.service import SweepFiles, sweep_files
from kefu.files.store import FileStore
from kefu.jobs.worker import Handler, Worker
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.http import Outbound
from kefu.kit.http_streams import HttpStreams, Waits
from kefu.knowledge.documents.service import DocumentReader, ReadDocument
from kefu.knowledge.embedding import EmbedPassages, PassageEmbedding, no_embedder
from kefu.knowledge.models import Document
from kefu.knowledge.vectors import NearOf, Vectors, by_words_alone
from kefu.quality.runner import Rehearse, Runner
from kefu.quality.runs import RunGolden
from kefu.quality.shadow import Shadow
from kefu.reports.funnel import follow_funnel
from kefu.routing.assigner import Assigner
from kefu.routing.assignment import ExpireOffer, expire_offer
from kefu.routing.duty import WatchDuty, watch_duty
from kefu.routing.queue import RemindQueue, remind_queue
from kefu.sessions.idle import close_idle
from kefu.sessions.indexing import index_messages
from kefu.sessions.work import (
    AnswerVisitor,
    AssignWaiting,
    CloseIdle,
    CollectQuestions,
    DraftInShadow,
    FollowFunnel,
    IndexMessages,
    SendAfterHoursMail,
    SendMailReply,
    TagByRules,
    WritePacket,
)
from kefu.shops.hours import default_hours
from kefu.supervision.backtest import RunBacktest, run_backtest
from kefu.transfers.service import ExpireTransfer, expire_transfer


@dataclass(frozen=True, slots=True)
class Helped:
    """What models and embedders do, in an app or a worker. `reader_of`: the model that reads what visitors write."""

    answerer: Answerer
    model_of: ModelOf | None = None
    near_of: NearOf = by_words_alone
    embedder_of: EmbedderOf = no_embedder
    reader_of: ModelOf | None = None
    rehearse: Rehearse | None = None


def bulk_worker(db: Database, settings: Settings, helped: Helped | None = None) -> Worker:
    """What nobody waits for: in `kefu worker`, or in the one process of an embedded database."""
    mailing, store = Mailing(db, settings), file_store(settings)
    helped = helped or Helped(BuiltinAnswerer(db))
    handlers: dict[str, Handler] = {
        SendAfterHoursMail.kind: mailing.tell_team,
        SendMailReply.kind: mailing.reply,
        ExpireTransfer.kind: partial(expire_transfer, db),
        CloseIdle.kind: partial(close_idle, db, timedelta(seconds=settings.session_expire_seconds)),
        IndexMessages.kind: partial(index_messages, db),
        TagByRules.kind: partial(tag_by_rules, db),
        RunBacktest.kind: partial(run_backtest, db, default_hours(settings)),
        SweepFiles.kind: partial(sweep_files, db, store, (File.sha256, Document.sha256)),
        ReadDocument.kind: DocumentReader(db, store),
        CollectQuestions.kind: partial(collect_questions, db),
        FollowFunnel.kind: partial(follow_funnel, db, settings.timezone),
        RunGolden.kind: Runner(db, settings, helped.rehearse or (lambda *_: helped.answerer)),
        DraftInShadow.kind: Shadow(db, helped.answerer),
        ReadMessages.kind: partial(read_messages, db, helped.reader_of),
        ReadByModel.kind: ModelReader(db, helped.reader_of),
        PrepareHelp.kind: Proposing(db, helped.model_of, helped.near_of),
        EmbedPassages.kind: PassageEmbedding(db, helped.embedder_of),
        RunBackup.kind: Backups(db, settings),
    }
    often = (CloseIdle, IndexMessages, SweepFiles, CollectQuestions, FollowFunnel, ReadMessages, EmbedPassages)
    recurring = [*(work() for work in often), *([RunBackup()] if settings.backup_to else [])]
    return Worker(db, "bulk", handlers, width=4, recurring=recurring)


def file_store(settings: Settings) -> FileStore:
    return FileStore(settings.data_dir.absolute() / "files", settings.upload_max_mb)


def talk_worker(db: Database, bus: Bus, settings: Settings, answerer: Answerer) -> Worker:
    """Who answers, and who brings a person."""
    handlers: dict[str, Handler] = {
        AnswerVisitor.kind: Bot(db, bus, answerer, default_hours(settings)),
        AssignWaiting.kind: Assigner(db),
        ExpireOffer.kind: partial(expire_offer, db),
        WatchDuty.kind: partial(watch_duty, db, timedelta(seconds=settings.agent_auto_busy_seconds)),
        RemindQueue.kind: partial(remind_queue, db),
    }
    return Worker(db, "talk", handlers, recurring=[WatchDuty(), RemindQueue()])


def line_of(settings: Settings) -> Line:
    """The way to other people's servers, models among them."""
    waits = Waits(settings.http_timeout_connect, settings.http_timeout_read)
    return Line(HttpStreams(Outbound(settings.outbound_allow)), waits)


def models_of(db: Database, settings: Settings, line: Line) -> ModelsOf:
    return ModelsOf(db, settings, line, Books(db, settings.timezone, own_prices(settings)))


def desk_worker(db: Database, model_of: ModelOf | None) -> Worker:
    """What is to be there when an agent steps in. It waits for none of the bot's turns."""
    return Worker(db, "desk", {WritePacket.kind: Handover(db, model_of)})


def helped_by(settings: Settings, db: Database, models: ModelsOf, vectors: Vectors) -> Helped:
    near_of = Meaning(models, vectors)
    if settings.ai_provider == "scripted":
        return Helped(ScriptedAnswerer(), models, near_of, models.embedder_of, models.reader)
    builtin = BuiltinAnswerer(db, near_of)
    answerer = ModelAnswerer(builtin, models.setup)
    return Helped(answerer, models, near_of, models.embedder_of, models.reader, partial(rehearsing, builtin, models))
