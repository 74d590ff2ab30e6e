// What is shortened first where there is little room. SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Views

@MainActor
@Suite("Scarce room")
struct ScarceRoomTests {
    @Test("Tabs shorten their names before they drop them; the pane shown keeps its own")
    func tabNames() {
        let panes: [PaneID] = [.preview, .mask, .tokens, .jobs, .log, .train, .symmetry]
        func text(_ room: Int, _ shown: PaneID = .preview) -> String {
            PaneTabs.labels(panes, shown: shown, room: room).map { $0.number + $0.title }.joined()
        }
        #expect(text(100).contains(" 9 Symmetry "))
        #expect(text(60) == " 3 Preview  4 Mask  5 Tok  6 Jobs  7 Log  8 Trn  9 Sym ")
        #expect(text(43) == " 3 Preview  4Mask 5Tok 6Jobs 7Log 8Trn 9Sym")
        #expect(text(42, .tokens) == " 3Pic 4Mask 5 Tokens  6Jobs 7Log 8Trn 9Sym")
        #expect(text(30) == " 3 Preview  4  5  6  7  8  9 ")
    }

    @Test("Scales share a line of the comparison where there is no room: none is left out")
    func comparedScales() {
        let seconds: [Double?] = [1, 2, 4, 8]
        #expect(ComparePane.lines(seconds, rows: 4).map(\.name) == ["0", "1", "2", "3"])
        let joined = ComparePane.lines(seconds, rows: 2)
        #expect(joined.map(\.name) == ["0–2", "3"])
        #expect(joined.map(\.seconds) == [7, 8])
        #expect(ComparePane.lines(seconds, rows: 0).isEmpty)
    }
}
