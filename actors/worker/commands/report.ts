/** worker.report: reports finished attempts while a pull is open. */
import { z } from 'zod';
import { worker } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { partitionShape, pullReplyJson, sessionShape } from '../pull-reply.js';
import {
  checkReports, checkSession, reportFromJson, reportShape, TO_STATED, type JsonReport, type Reports,
} from '../reports.js';
import { recordReports } from '../record-reports.js';
import { pulledReply } from '../replies.js';
import { emptyNotice } from '../sessions.js';

export const report = {
  noun: 'worker',
  verb: 'report',
  does: 'reports finished attempts while a pull is open',
  request: worker.ReportAttempts,
  reply: worker.PullReply,
  json: z.strictObject({ ...sessionShape, ...partitionShape, reports: z.array(reportShape) }),
  opaque: new Set(['result']),
  session: 'proved',
  codes: ['SESSION_UNPROVED'],
  routing: TO_STATED,
  fromJson(given: { reports: JsonReport[] }) {
    const reports = given.reports.map(reportFromJson);
    return worker.ReportAttempts.create({ ...given, reports }) as worker.ReportAttempts;
  },
  check(message, context) {
    const from = checkSession(message, context);
    return { ...from, reports: checkReports(message.reports, from.partition) };
  },
  decide(step, request, { to }) {
    const notice = emptyNotice();
    recordReports(step, request, request.reports, notice);
    step.answer(to, pulledReply, notice);
  },
  toJson: pullReplyJson,
} as const satisfies Command<worker.ReportAttempts, Reports>;
