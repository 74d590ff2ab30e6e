// The line-by-line dialogue: same commands, sentences for what changes, no control characters.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Plain dialogue")
struct PlainDialogueTests {
    /// A dialogue and everything it said.
    @MainActor
    private final class Talk {
        let app: ApplicationHarness
        private(set) var said: [String] = []
        private var dialogue: PlainDialogue?

        init(passSeconds: Double = 0) {
            app = ApplicationHarness(
                passSeconds: passSeconds,
                options: {
                    $0.images = .off
                    $0.usesASCIIBorders = true
                    $0.isMotionReduced = true
                }
            ).ready()
            dialogue = PlainDialogue(application: app.application) { [weak self] in
                self?.said.append($0)
            }
            dialogue?.begin()
        }

        /// Types lines and lets the work be done after each; returns what was said.
        @discardableResult
        func type(_ lines: String...) -> String {
            let start = said.count
            for line in lines {
                dialogue?.take(line)
                app.wait { _ in !app.application.isBusy }
                dialogue?.tick(now: 0)
            }
            return said[start...].joined(separator: "\n")
        }
    }

    @Test("A picture is made, told in numbers, masked, edited and saved by typing alone")
    func story() {
        let talk = Talk()
        #expect(talk.type("class 7") == "Class seven.")
        #expect(talk.app.state.schedule.values.classLabel == 7)
        let made = talk.type("generate")
        #expect(made.contains("done, 9 passes") || made.contains(": done"))
        #expect(made.contains("28 by 28 pixels, mean brightness"))
        talk.type("mask", "take-sample")
        #expect(talk.type("box 4 4 20 12").contains("19.5 % masked"))
        #expect(talk.type("picture").contains("masked, from 4, 4 to 20, 12"))
        #expect(talk.type("run-edit").contains("done"))
        #expect(talk.type("save", "out.png").contains("Saved out.png"))
        #expect(talk.app.files.paths == ["out.png"])
    }

    @Test("A class that does not exist is refused; no list stays open behind it")
    func wrongClass() {
        let talk = Talk()
        let said = talk.type("class dragon")
        #expect(said.contains("Nothing fits dragon.") && said.contains("class alone lists"))
        #expect(talk.app.state.overlays.isEmpty)
        #expect(talk.type("class seven") == "Class seven.")
    }

    @Test("In a list, words that fit nothing are named, and commands leave it")
    func wordsInAList() {
        let talk = Talk()
        #expect(talk.type("class").contains("Type a number to choose"))
        let said = talk.type("dragon")
        #expect(said.contains("Nothing fits dragon.") && !said.contains("1: "))
        #expect(!talk.app.state.overlays.isEmpty)
        talk.type("seed 5")
        #expect(!talk.app.state.overlays.isEmpty)
        talk.type("next-pane")
        #expect(talk.app.state.overlays.isEmpty)
    }

    @Test("A mask without a picture, and beside it, is not painted in silence")
    func paintingNothing() {
        let talk = Talk()
        #expect(talk.type("box 4 4 20 12").contains("There is no picture to paint on."))
        talk.type("preview", "generate", "mask", "take-sample")
        #expect(talk.type("box 400 400 500 500").contains("outside of the picture of 28 by 28"))
    }

    @Test("Values are typed, refused with the reason, and undone")
    func values() {
        let talk = Talk()
        talk.type("schedule", "cfg 2.5")
        #expect(talk.app.state.schedule.values.cfg == 2.5)
        #expect(talk.type("cfg 99").contains("Error: Guidance is a number from 0 to 20."))
        #expect(talk.app.state.schedule.editing == nil)
        #expect(talk.type("row 2 1 2").contains("needs 9"))
        #expect(talk.type("row 2 3 6").contains("3 6"))
        talk.type("undo")
        #expect(talk.type("undo").contains("Undone"))
        #expect(talk.app.state.schedule.values.cfg == 1.5)
    }

    @Test("Commands go by name, beginning, key and short name; a slip is helped")
    func names() {
        let talk = Talk()
        #expect(talk.type("focus-lo").contains("Log pane."))
        #expect(talk.type("1").contains("Models pane."))
        #expect(talk.type("tokens").contains("Tokens pane."))
        #expect(talk.type("generat").contains("done"))
        #expect(talk.type("C-f").isEmpty == false || talk.app.state.layout.zoom == .half)
        #expect(talk.type("genrate").contains("Did you mean generate?"))
        #expect(talk.type("symetry").contains("Did you mean symmetry?"))
        #expect(talk.type("view").contains("could be"))
        #expect(talk.type("help").contains("In Tokens:"))
        #expect(talk.type("").contains("Model:"))
    }

    @Test("Lists are numbered, narrowed and left; questions are answered by a letter")
    func lists() {
        let talk = Talk()
        #expect(talk.type("palette").contains("1: "))
        #expect(talk.type("view grid").contains("View: grid") || talk.app.state.overlays.isEmpty)
        talk.type("")
        #expect(talk.app.state.overlays.isEmpty)
        talk.type("generate")
        #expect(talk.type("quit").contains("1: Quit"))
        talk.type("s")
        #expect(talk.app.state.overlays.isEmpty && !talk.app.state.isFinished)
        talk.type("quit", "q")
        #expect(talk.app.state.isFinished)
    }

    @Test("Nothing that is said moves a cursor or draws")
    func clean() {
        let talk = Talk()
        for pane in PaneID.allCases { talk.type(pane.name, "", "help") }
        talk.type("compare", "picture", "palette", "", "jobs", "")
        let drawing: Set<Character> = ["─", "│", "█", "▀", "▄", "●", "▶", "✓", "○"]
        for line in talk.said {
            #expect(!line.contains { drawing.contains($0) }, "\(line)")
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 32 || $0 == "\n" }, "\(line)")
        }
    }
}
