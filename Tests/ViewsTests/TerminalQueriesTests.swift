// What answers and the environment say about a terminal.
// SPDX-License-Identifier: Apache-2.0
import Testing
import Views

@Suite("Terminal queries")
struct TerminalQueriesTests {
    private let screen = ScreenSize(
        cells: CellSize(columns: 80, rows: 24), pixels: PixelSize(width: 484, height: 316))
    private let silent = ScreenSize(cells: CellSize(columns: 100, rows: 30))

    /// Feeds raw bytes through the decoder, as in life.
    private func answer(_ queries: inout TerminalQueries, _ text: String) {
        var decoder = KeyDecoder()
        for case .reply(let reply) in decoder.feed(Array(text.utf8), time: 0) {
            _ = queries.apply(reply)
        }
    }

    @Test("Device attributes come last, and kitty is never asked inside tmux")
    func questions() {
        let plain = TerminalQueries(environment: TerminalEnvironment(), screen: screen)
        #expect(plain.questions.hasSuffix("\u{1B}[c"))
        #expect(plain.questions.contains("\u{1B}_G"))
        let tmux = TerminalQueries(
            environment: TerminalEnvironment(isInsideTmux: true), screen: screen)
        #expect(!tmux.questions.contains("\u{1B}_G"))
        let console = TerminalQueries(
            environment: TerminalEnvironment(term: "linux"), screen: screen)
        #expect(console.questions == "\u{1B}[c")
    }

    @Test("An xterm in VT340 mode")
    func xterm() {
        var queries = TerminalQueries(
            environment: TerminalEnvironment(term: "xterm"), screen: screen)
        #expect(queries.capabilities.terminfoName == "xterm")
        answer(
            &queries,
            "\u{1B}P>|XTerm(379)\u{1B}\\\u{1B}[?1;0;1024S\u{1B}[?2;0;900;570S\u{1B}[?2;0;1000;800S"
                + "\u{1B}[?1016;2$y\u{1B}[?2026;0$y\u{1B}[?80;1$y\u{1B}]11;rgb:ffff/8080/0000\u{1B}\\"
        )
        #expect(!queries.capabilities.isSettled)
        answer(&queries, "\u{1B}[?63;1;2;4;6c")
        let known = queries.capabilities
        #expect(known.hasSixel && known.isSettled && known.hasPixelMouse)
        #expect(!known.hasSynchronizedOutput && known.hasSixelDisplayMode)
        #expect(known.registers == 1024)
        #expect(known.maximumPicture == PixelSize(width: 1000, height: 800))
        #expect(known.terminfoName == "xterm-256color")
        #expect(known.background == .rgb(255, 128, 0))
        // 484 pixels for 80 columns: the rest is xterm's inner border.
        #expect(known.cellSize == PixelSize(width: 6, height: 13))
    }

    @Test("A refused question leaves the fallback, and the maximum is told from the area")
    func refusals() {
        var queries = TerminalQueries(environment: TerminalEnvironment(), screen: silent)
        answer(&queries, "\u{1B}[?1;3S\u{1B}[?2;3S\u{1B}[?2;0;700;500S\u{1B}[?1;2c")
        #expect(!queries.capabilities.hasSixel)
        #expect(queries.capabilities.registers == 256)
        #expect(queries.capabilities.maximumPicture == PixelSize(width: 700, height: 500))
    }

    @Test("The cell size comes from the window, the cell report, the area, the configuration")
    func cellSize() {
        var queries = TerminalQueries(
            environment: TerminalEnvironment(), screen: silent,
            configuredCell: PixelSize(width: 8, height: 17))
        #expect(queries.capabilities.cellSize == PixelSize(width: 8, height: 17))
        answer(&queries, "\u{1B}[?2;0;900;570S")
        #expect(queries.capabilities.cellSize == PixelSize(width: 9, height: 19))
        answer(&queries, "\u{1B}[6;21;11t")
        #expect(queries.capabilities.cellSize == PixelSize(width: 11, height: 21))
        queries.resized(to: screen)
        #expect(queries.capabilities.cellSize == PixelSize(width: 6, height: 13))
        answer(&queries, "\u{1B}[6;0;0t")
        queries.resized(to: silent)
        #expect(queries.capabilities.cellSize == PixelSize(width: 11, height: 21))
    }

    @Test("TERM, COLORTERM and NO_COLOR")
    func environment() {
        func name(_ variables: [String: String]) -> String {
            TerminalQueries(
                environment: TerminalEnvironment(variables: variables), screen: screen
            ).capabilities.terminfoName
        }
        #expect(name(["TERM": "xterm"]) == "xterm")
        #expect(name(["TERM": "xterm", "COLORTERM": "truecolor"]) == "xterm-256color")
        #expect(name(["TERM": "xterm", "XTERM_VERSION": "XTerm(379)"]) == "xterm-256color")
        #expect(name(["TERM": "tmux-256color", "COLORTERM": "24bit"]) == "tmux-256color")
        var plain = TerminalQueries(
            environment: TerminalEnvironment(variables: ["TERM": "xterm", "NO_COLOR": "1"]),
            screen: screen)
        plain.curses(colors: 256)
        #expect(plain.capabilities.colors == .none)
        #expect(!TerminalEnvironment(variables: ["NO_COLOR": ""]).forbidsColor)
    }

    @Test("Pictures can be forbidden, and hostile answers change nothing")
    func forbidden() {
        var queries = TerminalQueries(
            environment: TerminalEnvironment(), screen: screen, allowsPictures: false)
        answer(
            &queries,
            "\u{1B}[?63;4c\u{1B}[?S\u{1B}[?2S\u{1B}[?1;0;0S\u{1B}[6t\u{1B}[6;99999;99999t"
                + "\u{1B}]11;rgb:zz/1/2\u{07}\u{1B}]11;rgb:12345/1/2\u{07}\u{1B}[?$y")
        #expect(!queries.capabilities.hasSixel)
        #expect(queries.capabilities.registers == 256)
        #expect(queries.capabilities.background == nil)
        #expect(queries.capabilities.cellSize == PixelSize(width: 6, height: 13))
    }

    @Test("An answer that nobody asked for changes nothing")
    func unasked() {
        var queries = TerminalQueries(environment: TerminalEnvironment(), screen: silent)
        // A late answer counts, a second one is somebody's noise.
        queries.giveUp()
        answer(&queries, "\u{1B}[?1;2c")
        answer(&queries, "\u{1B}[?62;4c")
        #expect(!queries.capabilities.hasSixel)
    }
}
