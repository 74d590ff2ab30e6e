// Random sessions, and what must hold in each of them. SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing
import Views

/// Throws events at the program and looks at the screen in between.
///
/// At every stop Ctrl-L sends the screen anew, and nothing may change by that: no cell, no attribute,
/// no pixel of a picture. Pictures are never cut or scrolled, no sequence is unknown, and the program
/// ends when asked to and gives the terminal back.
final class TerminalFuzz {
    private let program: Program
    private let executable: String?
    private let base = (columns: 100, rows: 30)
    /// Events between two looks at the whole screen.
    private let stride = 100
    private(set) var events = 0
    private(set) var looks = 0
    /// Screens that did not come to rest, which nothing can be said about.
    private(set) var restless = 0

    init(executable: String? = nil) throws {
        program = try Program()
        self.executable = executable
    }

    /// Ends trainings that were begun: they go on without the program.
    deinit {
        let own = getpid()
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let process = pid_t(name), process != own,
                let folder = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/\(name)/cwd"), folder.hasPrefix(program.folder.path)
            else { continue }
            kill(process, SIGKILL)
        }
    }

    /// One session of so many events; records issues that name the seed.
    func run(seed: UInt64, events count: Int) throws {
        var kind = PseudoTerminal.Kind()
        kind.hasSixel = seed % 5 != 4
        // Some lines are slow: frames come in steps there.
        if seed % 5 == 3 { kind.rate = 60_000 }
        var random = TerminalFuzzEvents(seed: seed, columns: base.columns, rows: base.rows)
        let session = try TerminalSession(
            program, ["--no-session", "--deterministic"], columns: base.columns, rows: base.rows,
            kind: kind, environment: ["EDITOR": "true", "VISUAL": "true"], executable: executable,
            folder: program.folder.path)
        session.expect("is ready")
        var recent: [String] = []
        for index in 0..<count {
            let event = random.next()
            recent = recent.suffix(39) + ["\(index) \(event)"]
            perform(event, session, pause: random.pause())
            events += 1
            if !session.isRunning {
                // A random path to the menu's or the palette's "quit".
                if session.end(status: nil) != 0 {
                    report("it ended", seed, recent, session)
                }
                return
            }
            guard (index + 1) % stride == 0 || index + 1 == count else { continue }
            if session.screen.columns != base.columns || session.screen.rows != base.rows {
                resize(session, columns: base.columns, rows: base.rows)
                random.resized(columns: base.columns, rows: base.rows)
            }
            if let fault = try look(session) {
                report(fault, seed, recent, session)
                return
            }
        }
        session.settle(0.1)
        session.send("\u{3}\u{3}")
        if session.end(status: nil) != 0 { report("it did not end well", seed, recent, session) }
        if let fault = counters(session) { report(fault, seed, recent, session) }
    }

    private func perform(
        _ event: TerminalFuzzEvents.Event, _ session: TerminalSession, pause: Double
    ) {
        switch event {
        case .bytes(let pieces, _):
            for piece in pieces {
                session.send(piece)
                session.settle(pause, limit: 2 * pause)
            }
        case .resize(let columns, let rows): resize(session, columns: columns, rows: rows)
        }
        session.settle(pause, limit: 10 * pause)
    }

    /// Waits for the frame of the new size, most of the time.
    private func resize(_ session: TerminalSession, columns: Int, rows: Int) {
        // What is drawn for one size must have come before the next: in a terminal pictures for
        // the one before may always meet a smaller window, and no program can help that.
        session.settle(until: { !$0.awaitsRedraw }, limit: Self.patience)
        session.resize(columns: columns, rows: rows)
        if columns % 3 == 0 { return }
        session.settle(until: { !$0.awaitsRedraw }, limit: 5)
    }

    private func counters(_ session: TerminalSession) -> String? {
        let counters = session.screen.counters
        let faults = [
            ("scrolled", counters.picturesScrolled), ("cut", counters.picturesCutAtTheRight),
            ("too large", counters.picturesTooLarge),
            ("in wrong bands", counters.picturesOutsideBands),
            ("without sixel", counters.picturesWithoutSixel),
        ].filter { $0.1 > 0 }.map { "\($0.1) pictures \($0.0)" }
        if counters.unknownSequences > 0 {
            return "unknown sequences: \(session.screen.unknownSequences.prefix(8))"
        }
        return faults.isEmpty ? nil : faults.joined(separator: ", ")
    }

    /// What is wrong with the screen, if anything.
    private func look(_ session: TerminalSession) throws -> String? {
        // What was left open ends: a paste by its mark, a sequence by the escape in it; then popups
        // and typed text close.
        session.send("\u{1B}[201~")
        for _ in 0..<3 {
            session.send("\u{1B}")
            session.settle(0.04, limit: 0.5)
        }
        session.settle(until: { !$0.awaitsRedraw }, limit: Self.patience)
        if session.screen.awaitsRedraw { return "the new size was not drawn" }
        guard rest(session) else {
            restless += 1
            return counters(session)
        }
        looks += 1
        let notices = session.screen.noticeRows
        let colors = try session.screen.pictureColors()
        session.redraw()
        // The text as soon as it is there: what is computed in the background may change it a moment
        // later. On a loaded machine a frame comes in parts, and pictures after it.
        // A notice ends by itself, at any moment.
        func difference(ignoringPictures: Bool = false) -> String? {
            session.difference(
                from: session.screen.looksBeforeClear, ignoringPictures: ignoringPictures,
                ignoringRows: notices.union(session.screen.noticeRows))
        }
        session.settle(
            until: { _ in difference(ignoringPictures: true) == nil }, limit: Self.patience)
        if let difference = difference(ignoringPictures: true) { return difference }
        session.settle(until: { _ in difference() == nil }, limit: Self.patience)
        if session.isBusy { return counters(session) }
        if let difference = difference() { return difference }
        let redrawn = try session.screen.pictureColors()
        // Palettes and dithers differ from one sending to the next; their means do not.
        let stale = colors.keys.sorted().filter { place in
            guard let other = redrawn[place], let color = colors[place] else { return false }
            return zip(color, other).contains { abs($0 - $1) > Self.tolerance }
        }
        // At an edge a picture of half the pixels may miss a cell by more.
        let isOff = stale.count > colors.count / 100
        guard let first = stale.first, isOff else { return counters(session) }
        let (row, column) = (first / session.screen.columns, first % session.screen.columns)
        return
            "\(stale.count) of \(colors.count) picture cells were stale, the first at \(column), "
            + "\(row): \(colors[first] ?? []), then \(redrawn[first] ?? [])"
    }

    /// Seconds after which something will not come: programs may be held up for a while.
    private static let patience = 90.0

    /// The most that the mean of a cell's channel may differ between two sendings: pictures sent in
    /// a hurry have six or seven levels.
    private static let tolerance = 40

    /// Waits until nothing is computed and two looks are alike but for a notice.
    private func rest(_ session: TerminalSession) -> Bool {
        let start = ProcessInfo.processInfo.systemUptime
        var last: [String] = []
        var notices: Set<Int> = []
        while ProcessInfo.processInfo.systemUptime - start < Self.patience {
            session.settle(0.12)
            let now = session.screen.noticeRows
            if !session.isBusy, !session.screen.awaitsPictures,
                last.count == session.screen.looks.count,
                session.difference(from: last, ignoringRows: notices.union(now)) == nil
            {
                return true
            }
            last = session.screen.looks
            notices = now
        }
        return false
    }

    private func report(
        _ fault: String, _ seed: UInt64, _ recent: [String], _ session: TerminalSession
    ) {
        Issue.record(
            """
            Seed \(seed): \(fault)
            \(recent.joined(separator: "\n"))
            \(session.screen.text)
            Again: WORKBENCH_FUZZ_SEED=\(seed) WORKBENCH_FUZZ_EVENTS=\(Self.sessionEvents) \
            swift test --filter TerminalFuzzTests
            """)
    }

    /// Events of one session of a long run.
    static let sessionEvents = 400
}
