// Whole screens as text, at several sizes; and no size that breaks anything.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Screens")
struct PaneGoldenTests {
    private static let sizes = [
        CellSize(columns: 120, rows: 40), CellSize(columns: 80, rows: 24),
        CellSize(columns: 40, rows: 12), CellSize(columns: 200, rows: 60),
    ]

    /// The screens under test, by name.
    private static let scenes: [(String, (ApplicationHarness) -> Void)] = [
        ("first", { _ in }),
        (
            "sampled",
            {
                $0.press(.enter)
                $0.settle()
            }
        ),
        ("schedule", { $0.press("2") }),
        (
            "invalid-row",
            {
                $0.press("2")
                $0.application.send(.schedule(.select(.row(2))))
                $0.application.send(.schedule(.setText(scale: 2, "1 2 3")))
            }
        ),
        (
            "mask",
            {
                $0.press(.enter)
                $0.settle()
                $0.press("4")
                $0.press("s")
                $0.press(" ")
            }
        ),
        (
            "tokens",
            {
                $0.press(.enter)
                $0.settle()
                $0.press("5")
                $0.press("m")
            }
        ),
        (
            "compare",
            {
                $0.press("v")
                $0.settle()
            }
        ),
        (
            "jobs",
            {
                $0.press("v")
                $0.settle()
                $0.press("6")
            }
        ),
        ("log", { $0.press("7") }),
        ("models", { $0.press("1") }),
        ("help", { $0.press("?") }),
        ("palette", { $0.press(":") }),
        (
            "train",
            {
                $0.press("8")
                $0.wait { $0.train.shown?.curves.isEmpty == false }
            }
        ),
        (
            "recipe",
            {
                $0.press("8")
                $0.wait { $0.train.isListed && $0.train.items.count > 1 }
                $0.application.send(.train(.select(1)))
            }
        ),
        (
            "history",
            {
                $0.application.send(.schedule(.setSeed(7)))
                $0.application.send(.schedule(.setClass(3)))
                $0.press("u")
                $0.press("Z")
            }
        ),
        ("gallery", { threeRuns($0, then: "ox") }),
        ("pair", { threeRuns($0, then: "d") }),
        ("branches", { threeRuns($0, then: "w") }),
        (
            "scales",
            {
                $0.press(.enter)
                $0.settle()
                $0.press("m")
            }
        ),
        (
            "save",
            {
                $0.press(.enter)
                $0.settle()
                $0.press(KeyPress("s", .control))
            }
        ),
    ]

    /// Two samples and a branch of the second, then keys.
    private static func threeRuns(_ app: ApplicationHarness, then keys: String) {
        app.press(.enter)
        app.settle()
        app.press("R")
        app.settle()
        app.press("B")
        app.settle()
        app.press(keys)
    }

    /// One recipe at work; none with a fault, which the log would tell of before or after other news.
    private static var trainings: FakeTrainings {
        var recipes = FakeTrainings.recipes.filter { $0.problem == nil }
        recipes[1].text =
            "# HMAR phase 1: whole scales at once.\n"
            + "system = \"hmar-next-scale\"\nsteps = 3000\n\n[data]\nkind = \"mnist\"\n"
        let trainings = FakeTrainings(recipes: recipes)
        trainings.publish(
            FakeTrainings.news(.running, step: 1000), in: "/runs/digits/1-tokenizer")
        return trainings
    }

    @Test("Screens are as stored", arguments: 0..<20)
    func golden(index: Int) {
        let (name, prepare) = Self.scenes[index]
        for size in Self.sizes {
            let app = ApplicationHarness(size: size, trainings: Self.trainings).ready()
            prepare(app)
            let frame = app.frame()
            var text = frame.surface.text()
            for placement in frame.placements {
                let r = placement.rect
                text += "picture \(placement.id) at \(r.x),\(r.y) \(r.width)x\(r.height)\n"
            }
            expectGolden(text, "screens/\(name)-\(size.columns)x\(size.rows).txt")
        }
    }

    @Test("ASCII borders with ten scales break no screen either", arguments: 0..<20)
    func plainBorders(index: Int) {
        for size in Self.sizes {
            let app = ApplicationHarness(
                size: size, patchNums: [1, 2, 3, 4, 5, 6, 8, 10, 13, 16], imageSize: 128,
                trainings: Self.trainings, options: { $0.usesASCIIBorders = true }
            ).ready()
            Self.scenes[index].1(app)
            let text = app.text()
            #expect(!text.contains { "│─┌┐└┘├┤┬┴┼━╸●✓▶".contains($0) }, "\(Self.scenes[index].0)")
        }
    }

    @Test("No size breaks a screen, with and without sixel", arguments: 0..<20)
    func sizes(index: Int) {
        for capabilities in [ApplicationHarness.sixelTerminal, Capabilities(colors: .none)] {
            let app = ApplicationHarness(
                capabilities: capabilities, trainings: Self.trainings
            ).ready()
            Self.scenes[index].1(app)
            for columns in [1, 2, 3, 5, 8, 13, 19, 20, 21, 30, 44, 59, 60, 61, 80, 104, 131, 200] {
                for rows in [1, 2, 4, 5, 6, 7, 9, 12, 15, 16, 17, 24, 26, 40, 60] {
                    app.size = CellSize(columns: columns, rows: rows)
                    app.application.handle(.resize(ScreenSize(cells: app.size)))
                    let frame = app.frame()
                    #expect(frame.size == app.size)
                    for placement in frame.placements {
                        #expect(placement.rect.maxX <= columns)
                        #expect(placement.rect.maxY <= rows - 1)
                    }
                }
            }
        }
    }

    @Test("Ascii borders use nothing but ASCII in the frames")
    func asciiBorders() {
        let app = ApplicationHarness(options: { $0.usesASCIIBorders = true }).ready()
        let box: Set<Character> = ["─", "│", "┌", "┐", "└", "┘", "├", "┤", "┬", "┴", "┼", "╭", "▶"]
        #expect(!app.text().contains { box.contains($0) })
        app.press("?")
        #expect(!app.text().contains { box.contains($0) })
    }

    @Test("NO_COLOR leaves attributes only")
    func noColor() {
        let app = ApplicationHarness(capabilities: Capabilities(colors: .none)).ready()
        app.press(.enter)
        app.settle()
        for cell in app.frame().surface.cells {
            #expect(cell.style.foreground == .default && cell.style.background == .default)
        }
    }

    @Test("A large model's schedule and tokens fit")
    func largeModel() {
        let app = ApplicationHarness(
            patchNums: [1, 2, 3, 4, 5, 6, 8, 10, 13, 16], imageSize: 256
        ).ready()
        app.press(.enter)
        app.settle()
        app.press("5")
        let text = app.text()
        #expect(text.contains("14 passes"))
        #expect(text.contains("16×16"))
    }
}
