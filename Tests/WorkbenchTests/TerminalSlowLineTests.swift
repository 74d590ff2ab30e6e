// A terminal that reads 20 kB a second. SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import Views

/// On a slow line a key waits for the bytes before it: they are counted, not the time.
@Suite("A slow line", .serialized)
struct TerminalSlowLineTests {
    private let program: Program

    init() throws { program = try Program() }

    @Test("Keys wait behind few bytes while the model samples, and nothing piles up")
    func keys() throws {
        var kind = PseudoTerminal.Kind()
        kind.rate = 20_000
        let session = try TerminalSession(
            program, ["--no-session", "--deterministic"], columns: 120, rows: 40, kind: kind)
        session.expect("is ready")
        session.settle()
        session.send("2")
        session.settle()
        var waits: [Int] = []
        var memory: [Int] = []
        for round in 0..<3 {
            session.send("R")
            session.settle(0.05, limit: 0.3)
            for key in 0..<6 {
                let before = rows(session.screen)
                let received = session.received
                // Up first: the selection starts on the last row, where Down has no effect.
                session.send(key % 2 == 0 ? "\u{1B}[A" : "\u{1B}[B")
                session.wait("the selection to move in round \(round)") { rows($0) != before }
                waits.append(session.received - received)
                session.settle(0.02, limit: 0.2)
            }
            memory.append(session.residentBytes ?? 0)
        }
        waits.sort()
        // 2 kB are a tenth of a second; a frame of the whole screen is 12 kB.
        #expect(waits[waits.count / 2] <= 4_000, "\(waits)")
        #expect((waits.last ?? 0) <= 12_000, "\(waits)")
        #expect(memory[2] - memory[0] < 64 << 20, "\(memory)")
        session.send("3")
        session.wait("the picture") { $0.pictureCells > 100 }
        session.expectRedrawChangesNothing()
        session.expectCleanCounters()
        session.send("\u{3}\u{3}")
        session.end(status: nil)
    }

    /// The styles of the left panes, where the selection is.
    private func rows(_ screen: VirtualTerminal) -> [String] {
        screen.cells.indices.filter { $0 % screen.columns < 36 && $0 / screen.columns > 0 }
            .map { screen.cells[$0].style }
    }
}
