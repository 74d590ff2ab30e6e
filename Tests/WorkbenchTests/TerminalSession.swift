// The program in a pseudo-terminal whose screen the test can see. SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing
import Views

/// Types keys, waits for texts, and looks at the screen as a person would.
final class TerminalSession {
    let screen: VirtualTerminal
    private let terminal: PseudoTerminal
    /// Long enough for a loaded machine; only a failing test waits so long.
    private let patience = 60.0

    /// Opens the application (or another command) at a size.
    init(
        _ program: Program, _ arguments: [String] = [], columns: Int = 120, rows: Int = 40,
        kind: PseudoTerminal.Kind = PseudoTerminal.Kind(), environment: [String: String] = [:],
        executable: String? = nil, folder: String? = nil
    ) throws {
        let screen = VirtualTerminal(columns: columns, rows: rows, hasSixel: kind.hasSixel)
        self.screen = screen
        // The shell only changes the folder: the program takes its place.
        let start = folder.map { ["/bin/sh", "-c", "cd '\($0)' && exec \"$0\" \"$@\""] } ?? []
        terminal = try PseudoTerminal(
            // The smaller of the shipped models: a picture takes a moment in a debug build too.
            start + [executable ?? Program.path] + arguments
                + ["--device", "cpu", "--model", "hmar-digits"],
            columns: columns, rows: rows, kind: kind,
            environment: program.environment.merging(environment) { $1 })
        terminal.onBytes = { screen.feed($0) }
    }

    var received: Int { terminal.received }
    var hasCanonicalInput: Bool { terminal.hasCanonicalInput }

    var residentBytes: Int? { terminal.residentBytes }
    var isRunning: Bool { terminal.isRunning }

    func send(_ text: String) { terminal.send(text) }
    func send(_ bytes: [UInt8]) { terminal.send(bytes) }
    func signal(_ number: Int32) { terminal.signal(number) }

    /// Waits for a text on the screen.
    func expect(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        wait("“\(text)”", sourceLocation: sourceLocation) { $0.contains(text) }
    }

    func absent(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        wait("no “\(text)”", sourceLocation: sourceLocation) { !$0.contains(text) }
    }

    /// Waits for something to hold on the screen.
    func wait(
        _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
        until condition: (VirtualTerminal) -> Bool
    ) {
        let holds = terminal.wait(seconds: patience) { condition(screen) }
        if !holds {
            Issue.record(
                "\(what) did not come:\n\(screen.text)", sourceLocation: sourceLocation)
        }
    }

    /// Reads until nothing has come for a while; returns the bytes.
    @discardableResult
    func settle(_ silence: Double = 0.25, limit: Double = 20) -> Int {
        terminal.drain(silence: silence, limit: limit)
    }

    /// Reads until something holds, or for so long.
    func settle(until condition: (VirtualTerminal) -> Bool, limit: Double) {
        _ = terminal.wait(seconds: limit) { condition(screen) }
    }

    /// Whether something is computed: the screen changes by itself.
    var isBusy: Bool {
        // Without a job the header tells the class and the seed.
        screen.contains("all inputs ")
            || !["· seed", "no model"].contains { screen.lines[0].contains($0) }
    }

    func resize(columns: Int, rows: Int) {
        screen.resize(columns: columns, rows: rows)
        terminal.resize(columns: columns, rows: rows)
    }

    /// A mouse press, drag and release in cells, as SGR reports pixels or cells.
    func drag(from: (x: Int, y: Int), to: (x: Int, y: Int), pixels: Bool) {
        func report(_ button: Int, _ x: Int, _ y: Int, _ end: String) {
            let px = pixels ? x * 10 + 5 : x + 1
            let py = pixels ? y * 20 + 10 : y + 1
            send("\u{1B}[<\(button);\(px);\(py)\(end)")
        }
        report(0, from.x, from.y, "M")
        let steps = max(abs(to.x - from.x), abs(to.y - from.y), 1)
        for step in 1...steps {
            report(
                32, from.x + (to.x - from.x) * step / steps,
                from.y + (to.y - from.y) * step / steps, "M")
        }
        report(0, to.x, to.y, "m")
    }

    /// Waits for the end and checks that the terminal was given back.
    @discardableResult
    func end(status: Int32? = 0, sourceLocation: SourceLocation = #_sourceLocation) -> Int32? {
        let found = terminal.waitForEnd(seconds: patience)
        if let status { #expect(found == status, sourceLocation: sourceLocation) }
        #expect(found != nil, "it did not end", sourceLocation: sourceLocation)
        #expect(screen.leftOn == [], sourceLocation: sourceLocation)
        return found
    }

    /// The end of a program that could give nothing back.
    func waitForKilled() -> Int32? { terminal.waitForEnd(seconds: patience) }

    /// Where the screen differs from an earlier look, in words.
    ///
    /// - Parameters:
    ///   - ignoringPictures: leaves out cells that show a picture now or showed one then.
    ///   - rows: rows that are left out.
    func difference(
        from before: [String], ignoringPictures: Bool = false, ignoringRows rows: Set<Int> = []
    ) -> String? {
        let now = screen.looks
        let index = zip(before, now).enumerated().first { index, pair in
            pair.0 != pair.1 && !(ignoringPictures && (pair.0 == "#" || pair.1 == "#"))
                && !rows.contains(index / screen.columns)
        }?.offset
        return index.map {
            "row \($0 / screen.columns), column \($0 % screen.columns) was stale: "
                + "\(before[$0]), then \(now[$0])"
        }
    }

    /// What must never happen to pictures and the screen.
    func expectCleanCounters(sourceLocation: SourceLocation = #_sourceLocation) {
        let counters = screen.counters
        #expect(counters.picturesScrolled == 0, sourceLocation: sourceLocation)
        #expect(counters.picturesCutAtTheRight == 0, sourceLocation: sourceLocation)
        #expect(counters.picturesTooLarge == 0, sourceLocation: sourceLocation)
        #expect(counters.picturesOutsideBands == 0, sourceLocation: sourceLocation)
        #expect(counters.picturesWithoutSixel == 0, sourceLocation: sourceLocation)
        #expect(counters.unknownSequences == 0, sourceLocation: sourceLocation)
    }

    /// Sends everything anew (Ctrl-L); how the screen looked right before is `looksBeforeClear` then:
    /// silence does not tell that a frame has come as a whole, what follows it does.
    func redraw(sourceLocation: SourceLocation = #_sourceLocation) {
        let clears = screen.counters.fullClears
        send("\u{0C}")
        wait("a full redraw", sourceLocation: sourceLocation) { $0.counters.fullClears > clears }
    }

    /// Waits until nothing is computed, told or on its way.
    func rest(sourceLocation: SourceLocation = #_sourceLocation) {
        wait("rest", sourceLocation: sourceLocation) { screen in
            !screen.awaitsPictures && screen.noticeRows.isEmpty && !isBusy
        }
        settle()
    }

    /// Ctrl-L sends everything anew: nothing on the screen may change by it.
    func expectRedrawChangesNothing(sourceLocation: SourceLocation = #_sourceLocation) {
        rest(sourceLocation: sourceLocation)
        redraw(sourceLocation: sourceLocation)
        // The rest of the text, and pictures that have to be encoded again. If another redraw was
        // under way, for a new size perhaps, the screen before the last one counts.
        _ = terminal.wait(seconds: patience) {
            difference(from: screen.looksBeforeClear) == nil
        }
        let stale = difference(from: screen.looksBeforeClear)
        #expect(stale == nil, sourceLocation: sourceLocation)
    }
}
