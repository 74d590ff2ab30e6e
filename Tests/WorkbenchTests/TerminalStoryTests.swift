// Whole sessions in a pseudo-terminal: pictures, masks, sizes, crashes, recovery, poor terminals.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing
import Views

@Suite("Sessions in a terminal", .serialized)
struct TerminalStoryTests {
    private let program: Program

    init() throws { program = try Program() }

    private func open(
        _ arguments: [String] = ["--no-session"], columns: Int = 120, rows: Int = 40,
        kind: PseudoTerminal.Kind = PseudoTerminal.Kind(), environment: [String: String] = [:]
    ) throws -> TerminalSession {
        let session = try TerminalSession(
            program, arguments, columns: columns, rows: rows, kind: kind, environment: environment)
        session.expect("is ready")
        return session
    }

    @Test("From the first picture to an undone edit, with help over the picture and a resize")
    func story() throws {
        let session = try open(["--no-session", "--deterministic"])
        session.send("\r")
        session.expect("✓ class ")
        session.wait("a picture") { $0.pictureCells > 100 }
        session.expectRedrawChangesNothing()
        let pictures = session.screen.pictureCells
        session.send("?")
        session.expect("Help: Preview")
        session.settle()
        #expect(session.screen.pictureCells < pictures)
        session.send("\u{1B}")
        session.absent("Help: Preview")
        session.settle()
        #expect(session.screen.pictureCells == pictures)
        session.send("e")
        session.expect("masked")
        let found = try #require(session.screen.find("0.0 % masked"))
        _ = found
        session.rest()
        let cells = pictureBox(session.screen)
        let middle = (x: (cells.left + cells.right) / 2, y: (cells.top + cells.bottom) / 2)
        session.drag(
            from: (middle.x - 5, middle.y - 3), to: (middle.x + 5, middle.y + 3), pixels: true)
        session.wait("a mask") { $0.contains("% masked") && !$0.contains("0.0 % masked") }
        session.expectRedrawChangesNothing()
        session.send("\r")
        session.expect("✓ Inpaint")
        session.settle()
        session.send("4u")
        session.expect("Undone")
        session.expect("0.0 % masked")
        // A picture sent for the old size may meet the new one: that race is no fault.
        session.expectCleanCounters()
        for size in [
            (100, 30), (60, 16), (59, 15), (20, 6), (19, 5), (1, 1), (300, 100), (120, 40),
        ] {
            session.resize(columns: size.0, rows: size.1)
            session.wait("a frame at \(size)") { $0.cells.contains { $0.text != " " } }
            session.settle()
        }
        session.expectRedrawChangesNothing()
        session.send("q")
        session.expect("Quit?")
        session.send("q\u{1B}")
        session.send("q\r")
        session.end()
        let counters = session.screen.counters
        // Cells sent though unchanged: curses draws over short gaps rather than jump.
        #expect(counters.cellsUnchanged * 10 < counters.cells)
    }

    @Test(
        "Every size from 1×1 to 300×100 while the model samples: nothing stale, cut or scrolled",
        arguments: ["3", "4", "9"])
    func sizes(pane: String) throws {
        let session = try open(
            ["--no-session", "--deterministic"], columns: 100, rows: 30)
        session.send("\r")
        session.wait("a picture") { $0.pictureCells > 100 }
        session.send(pane)
        let sizes = [
            (1, 1), (2, 40), (8, 3), (19, 5), (20, 6), (40, 12), (59, 15), (60, 16), (61, 17),
            (79, 24), (99, 30), (120, 39), (150, 2), (160, 50), (300, 10), (20, 100), (300, 100),
            (80, 24),
        ]
        for (index, size) in sizes.enumerated() {
            session.send("R")
            session.resize(columns: size.0, rows: size.1)
            session.wait("a frame of \(size)") { !$0.awaitsRedraw }
            // Two sizes at once, now and then, and a look at a screen at rest.
            if index % 3 == 0 {
                session.resize(columns: size.0 + 1, rows: size.1)
                session.wait("a frame of one column more") { !$0.awaitsRedraw }
            }
            if size.0 >= 60, size.1 >= 16, index % 2 == 1 { session.expectRedrawChangesNothing() }
        }
        session.expectRedrawChangesNothing()
        session.expectCleanCounters()
        session.send("\u{3}\u{3}")
        session.end(status: nil)
    }

    private func pictureBox(
        _ screen: VirtualTerminal
    ) -> (left: Int, top: Int, right: Int, bottom: Int) {
        // The largest picture is the one being edited.
        let ids = Dictionary(grouping: screen.cells.indices.filter { screen.cells[$0].picture > 0 })
        {
            screen.cells[$0].picture
        }
        let largest = ids.values.max { $0.count < $1.count } ?? []
        let columns = largest.map { $0 % screen.columns }
        let rows = largest.map { $0 / screen.columns }
        return (columns.min() ?? 0, rows.min() ?? 0, columns.max() ?? 0, rows.max() ?? 0)
    }

    @Test("Idle sends nothing; a list move costs little; a full redraw stays small")
    func budgets() throws {
        let session = try open(["--no-session", "--deterministic", "--images", "off"])
        session.settle(0.6)
        #expect(session.settle(1.0) == 0)
        session.send("2")
        session.settle()
        session.send("\u{1B}[B")
        #expect(session.settle() <= 400)
        session.send("\u{0C}")
        #expect(session.settle() <= 12_000)
        session.send("q")
        session.end()
        session.expectCleanCounters()
    }

    @Test(
        "Every way of ending gives the terminal back",
        arguments: [
            "segv", "bus", "abort", "trap", "fpe", "sys", "stack", "thread", "exit", "index",
            "overflow", "fatal",
        ])
    func crashes(kind: String) throws {
        let session = try TerminalSession(
            program, ["--no-session", "--debug-crash", kind], columns: 80, rows: 24,
            environment: ["SWIFT_BACKTRACE": "enable=no"])
        let status = session.end(status: nil)
        #expect(status != 0 || kind == "exit")
        #expect(session.hasCanonicalInput)
        #expect(session.screen.counters.cells > 0, "it crashed before it drew")
    }

    @Test("Signals that ask to end give the terminal back", arguments: [SIGTERM, SIGHUP, SIGINT])
    func signals(number: Int32) throws {
        let session = try open(columns: 80, rows: 24)
        session.signal(number)
        #expect(session.end(status: nil) == -number)
        #expect(session.hasCanonicalInput)
    }

    @Test("After SEGV in the middle of a picture the terminal is fine, and the log says why")
    func segmentationFault() throws {
        var kind = PseudoTerminal.Kind()
        kind.rate = 200_000
        let session = try open(kind: kind, environment: ["SWIFT_BACKTRACE": "enable=no"])
        session.send("\r")
        session.wait("pictures on their way") { $0.counters.pictures > 0 }
        session.signal(SIGSEGV)
        #expect(session.end(status: nil) == -SIGSEGV)
        #expect(session.hasCanonicalInput)
        #expect(session.screen.contains("ended unexpectedly, details in"))
        let log = try String(
            contentsOfFile: program.folder.file("state/workbench/workbench.log"), encoding: .utf8)
        #expect(log.contains("ended by SIGSEGV"))
    }

    @Test("After kill -9 the work is offered and comes back, and so does the queue")
    func recovery() throws {
        let first = try open([])
        first.send("2")
        first.send("\u{1B}[H")
        first.send("s")
        first.send("3\r")
        first.expect("✓ class ")
        first.send("e ")
        first.wait("a mask") { $0.contains("% masked") && !$0.contains("0.0 % masked") }
        let line = first.screen.lines.first { $0.contains("% masked") } ?? ""
        let masked = line.split(separator: " ").first { $0.contains(".") } ?? ""
        // The queue is held with one job in it; the session is written before a job is queued.
        first.send("p")
        first.send("3R")
        first.expect("queued")
        first.settle(0.5)
        first.signal(SIGKILL)
        #expect(first.waitForKilled() == -SIGKILL)
        let second = try TerminalSession(program, [], columns: 120, rows: 40)
        second.expect("Restore the last session?")
        second.send("\r")
        second.absent("Restore the last session?")
        second.send("4")
        second.expect("% masked")
        #expect(second.screen.lines.contains { $0.contains(masked) })
        second.send("3")
        second.wait("the picture") { $0.pictureCells > 100 }
        second.send("6")
        second.expect("queue is paused")
        second.send("p")
        second.absent("queued")
        // Before the end: leaving at once may end a picture that is half sent.
        second.settle()
        second.expectCleanCounters()
        second.send("\u{3}\u{3}")
        second.end(status: nil)
    }

    @Test("The poorest terminals work: mute, without sixel, without colours, vt100, linux")
    func poorTerminals() throws {
        for term in ["vt100", "linux", "xterm", "tmux-256color"] {
            var kind = PseudoTerminal.Kind()
            kind.term = term
            kind.hasSixel = false
            kind.isMute = term != "xterm"
            let session = try TerminalSession(
                program, ["--no-session", "--deterministic"], columns: 80, rows: 24, kind: kind,
                environment: term == "linux" ? ["NO_COLOR": "1"] : [:])
            session.expect("is ready")
            session.send("\r")
            session.expect("9 passes")
            session.settle()
            #expect(session.screen.counters.pictures == 0)
            if term == "linux" {
                let colors = session.screen.cells.filter {
                    $0.style.split(separator: ";").contains { (30...49).contains(Int($0) ?? 0) }
                }
                #expect(colors.isEmpty)
            }
            session.send("q")
            session.expect("Quit?")
            session.send("\r")
            session.end()
        }
        for term in ["dumb", "", "no-such-terminal"] {
            var kind = PseudoTerminal.Kind()
            kind.term = term
            let session = try TerminalSession(
                program, ["--no-session"], columns: 80, rows: 24, kind: kind)
            session.end(status: 2)
        }
    }

    @Test("The tour runs to its end on the real model")
    func tour() throws {
        let session = try TerminalSession(
            program, ["tour", "--pace", "0.2", "--deterministic"], columns: 120, rows: 40)
        session.expect("Tour 1/")
        session.expect("A mask")
        session.end()
        session.expectCleanCounters()
    }
}
