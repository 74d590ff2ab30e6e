// Asks symmetry sessions on threads of their own; the newest question wins.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Holds the models and sessions of both sides and answers questions about them.
///
/// Short questions have one thread; tables and distributions of many inputs, which wait for the
/// same neighbours of all inputs, have another, so that keys are answered meanwhile. A newer
/// question of a side replaces the one before it.
nonisolated final class SymmetryWorker: @unchecked Sendable {
    private struct TableQuestion {
        var side: SymmetrySide
        var ticket: Int
        var settings: SymmetrySettings
    }

    private let condition = NSCondition()
    private var models: [SymmetrySide: any SymmetryDiscovering] = [:]
    private var sessions: [SymmetrySide: any SymmetrySession] = [:]
    private var questions: [SymmetrySide: SymmetryQuestion] = [:]
    private var tables: [SymmetrySide: TableQuestion] = [:]
    /// Questions about many inputs, without their short parts.
    private var longQuestions: [SymmetrySide: SymmetryQuestion] = [:]
    /// Pictures to be taken in among the inputs, oldest first.
    private var additions: [(image: RGBImage, name: String)] = []
    /// What is being worked on, to be given up when something newer comes.
    private var asking: (side: SymmetrySide, cancellation: Cancellation)?
    private var tabling: (side: SymmetrySide, cancellation: Cancellation)?
    private var longAsking: (side: SymmetrySide, cancellation: Cancellation)?
    private var hasThreads = false
    private var isStopped = false
    private let post: @Sendable (SymmetryAction) -> Void

    private let niceness: Int32

    init(niceness: Int32 = 0, post: @escaping @Sendable (SymmetryAction) -> Void) {
        self.niceness = niceness
        self.post = post
    }

    // MARK: Models and sessions

    func setModel(_ model: any SymmetryDiscovering, side: SymmetrySide) {
        condition.withLock { models[side] = model }
    }

    func model(_ side: SymmetrySide) -> (any SymmetryDiscovering)? {
        condition.withLock { models[side] }
    }

    func setSession(_ session: any SymmetrySession, side: SymmetrySide) {
        condition.withLock {
            sessions[side] = session
            if side == .a { sessions[.b] = nil }
        }
    }

    /// Forgets a side; questions about it then go to side A.
    func close(_ side: SymmetrySide) {
        condition.withLock {
            sessions[side] = nil
            models[side] = nil
            questions[side] = nil
            tables[side] = nil
            longQuestions[side] = nil
            if asking?.side == side { asking?.cancellation.cancel() }
            if tabling?.side == side { tabling?.cancellation.cancel() }
        }
    }

    func session(_ side: SymmetrySide) -> (any SymmetrySession)? {
        condition.withLock { sessions[side] ?? sessions[.a] }
    }

    // MARK: Questions

    func ask(_ question: SymmetryQuestion) {
        condition.withLock {
            startThreads()
            questions[question.side] = question
            longQuestions[question.side] = question.isLong ? question : nil
            if asking?.side == question.side { asking?.cancellation.cancel() }
            if longAsking?.side == question.side { longAsking?.cancellation.cancel() }
            condition.broadcast()
        }
    }

    func add(_ image: RGBImage, name: String) {
        condition.withLock {
            startThreads()
            additions.append((image, name))
            condition.broadcast()
        }
    }

    func table(side: SymmetrySide, ticket: Int, settings: SymmetrySettings) {
        condition.withLock {
            startThreads()
            tables[side] = TableQuestion(side: side, ticket: ticket, settings: settings)
            if tabling?.side == side { tabling?.cancellation.cancel() }
            condition.broadcast()
        }
    }

    func shutDown() {
        condition.withLock {
            isStopped = true
            asking?.cancellation.cancel()
            tabling?.cancellation.cancel()
            longAsking?.cancellation.cancel()
            condition.broadcast()
        }
    }

    // MARK: Threads

    /// Called with the lock held.
    private func startThreads() {
        guard !hasThreads else { return }
        hasThreads = true
        let device = currentDevice
        let loops: [@Sendable (SymmetryWorker) -> Bool] = [
            { $0.answerNext() }, { $0.tableNext() },
        ]
        for loop in loops {
            let thread = Thread { [weak self, niceness] in
                ThreadPriority.lowerCurrent(to: niceness)
                withDevice(device) {
                    while let worker = self, loop(worker) {}
                }
            }
            thread.name = "symmetry"
            thread.stackSize = 16 << 20
            thread.start()
        }
    }

    private func answerNext() -> Bool {
        condition.lock()
        while questions.isEmpty, additions.isEmpty, !isStopped { condition.wait() }
        if !isStopped, !additions.isEmpty {
            let (image, name) = additions.removeFirst()
            let asked = SymmetrySide.allCases.compactMap { sessions[$0] }
            condition.unlock()
            add(image, name, to: asked)
            return true
        }
        guard !isStopped, let side = SymmetrySide.allCases.first(where: { questions[$0] != nil }),
            let question = questions.removeValue(forKey: side)
        else {
            condition.unlock()
            return !isStopped
        }
        let session = sessions[side] ?? sessions[.a]
        let cancellation = Cancellation()
        asking = (side, cancellation)
        condition.unlock()
        if let session { answer(question, session, cancellation) }
        condition.withLock { asking = nil }
        return true
    }

    private func tableNext() -> Bool {
        condition.lock()
        while tables.isEmpty, longQuestions.isEmpty, !isStopped { condition.wait() }
        if !isStopped, tables.isEmpty, let (side, question) = longQuestions.first {
            longQuestions[side] = nil
            let session = sessions[side] ?? sessions[.a]
            let cancellation = Cancellation()
            longAsking = (side, cancellation)
            condition.unlock()
            if let session { answerLong(question, session, cancellation) }
            condition.withLock { longAsking = nil }
            return true
        }
        guard !isStopped, let side = SymmetrySide.allCases.first(where: { tables[$0] != nil }),
            let question = tables.removeValue(forKey: side)
        else {
            condition.unlock()
            return !isStopped
        }
        let session = sessions[side] ?? sessions[.a]
        let cancellation = Cancellation()
        tabling = (side, cancellation)
        condition.unlock()
        if let session { computeTable(question, session, cancellation) }
        condition.withLock { tabling = nil }
        return true
    }

    /// Both sides take the picture in, so that it has the same number on both.
    private func add(_ image: RGBImage, _ name: String, to sessions: [any SymmetrySession]) {
        do {
            guard !sessions.isEmpty else { throw SymmetryError.notOffered("set open") }
            let indices = try sessions.map { try $0.add(image, name: name) }
            post(.added(index: indices[0], name: name))
        } catch {
            post(.addFailed("\(name) could not be asked about: \(error)"))
        }
    }

    private func answer(
        _ question: SymmetryQuestion, _ session: any SymmetrySession, _ cancellation: Cancellation
    ) {
        let input = question.input
        let settings = question.settings
        speak(question, cancellation) { attempt in
            try session.prepare(settings: settings, cancellation: cancellation)
            // What a person waits for comes first: the needle, then the chart, then pictures.
            if let rotation = question.rotation {
                try attempt {
                    .response(try session.response(of: input, to: rotation, settings: settings))
                }
            }
            try attempt { .row(try session.row(of: input, settings: settings)) }
            if !question.scope.isLong {
                try attempt {
                    .distribution(
                        try session.distribution(
                            question.scope, settings: settings, cancellation: cancellation))
                }
            }
            for form in question.forms {
                try attempt {
                    .shape(form, try session.shape(of: input, as: form, settings: settings))
                }
            }
            return !question.isLong
        }
    }

    /// The parts of a question that are about many inputs.
    private func answerLong(
        _ question: SymmetryQuestion, _ session: any SymmetrySession, _ cancellation: Cancellation
    ) {
        let settings = question.settings
        speak(question, cancellation) { attempt in
            if question.scope.isLong {
                try attempt {
                    .distribution(
                        try session.distribution(
                            question.scope, settings: settings, cancellation: cancellation))
                }
            }
            for label in question.labels {
                try attempt {
                    .classDistribution(
                        label,
                        try session.distribution(
                            .label(label), settings: settings, cancellation: cancellation))
                }
            }
            return true
        }
    }

    /// Posts the parts of an answer one by one, and that it is done if `parts` says so.
    private func speak(
        _ question: SymmetryQuestion, _ cancellation: Cancellation,
        _ parts: ((() throws -> SymmetryAnswer) throws -> Void) throws -> Bool
    ) {
        func say(_ answer: SymmetryAnswer) {
            post(.answer(question.side, ticket: question.ticket, answer))
        }
        do {
            let isDone = try parts { part in
                try cancellation.check()
                do {
                    let answer = try part()
                    try cancellation.check()
                    say(answer)
                } catch let error as SymmetryError {
                    // A part that this session cannot give leaves the other parts alone.
                    if case .notOffered = error { return }
                    say(.failed(error.description))
                }
            }
            if isDone { say(.done) }
        } catch is CancellationError {
            return
        } catch {
            say(.failed(String(describing: error)))
            say(.done)
        }
    }

    private func computeTable(
        _ question: TableQuestion, _ session: any SymmetrySession, _ cancellation: Cancellation
    ) {
        let (side, ticket) = (question.side, question.ticket)
        let post = post
        do {
            let table = try session.table(
                settings: question.settings, cancellation: cancellation,
                progress: { done, total in
                    post(
                        .tableProgress(
                            side, ticket: ticket, total > 0 ? Double(done) / Double(total) : 0))
                })
            try cancellation.check()
            post(.table(side, ticket: ticket, table))
        } catch is CancellationError {
            return
        } catch {
            post(.tableFailed(side, ticket: ticket, String(describing: error)))
        }
    }
}
