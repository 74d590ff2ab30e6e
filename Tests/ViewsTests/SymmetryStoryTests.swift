// What a person does in the symmetry pane, on a session in closed form.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Symmetry pane")
struct SymmetryStoryTests {
    private static func open(
        _ models: [FakeSymmetryModel] = [FakeSymmetryModel()],
        size: CellSize = CellSize(columns: 120, rows: 40),
        capabilities: Capabilities = ApplicationHarness.sixelTerminal
    ) -> ApplicationHarness {
        let app = ApplicationHarness(size: size, capabilities: capabilities, symmetry: models)
            .ready()
        app.press("9")
        app.settleSymmetry()
        return app
    }

    @Test("Entering the pane opens the first set and answers for its first input")
    func enter() throws {
        let app = Self.open()
        let side = app.state.symmetry.a
        #expect(side.facts?.count == 400)
        #expect(side.distribution?.scope == .neighbours(0))
        #expect(side.table?.rows.count == 400)
        #expect(side.shapes[.standardized] != nil)
        // Image models stay where they were: the symmetry model is not one of them.
        #expect(app.state.model?.card.name == "fake-digits")
        let text = app.text()
        for word in ["9 Symmetry", "fake digits", "Neighbours of digit 0", "noise floor 12.0°"] {
            #expect(text.contains(word), "\(word)")
        }
    }

    @Test("The command copied is that of the set, the scope and the changed settings")
    func copiedCommand() throws {
        let app = Self.open()
        let facts = try #require(app.state.symmetry.facts)
        let plain = try #require(CommandLineText.equivalent(to: app.state))
        #expect(plain.hasPrefix("workbench symmetry show \(facts.modelName) --set "))
        #expect(plain.contains(" --input 0") && !plain.contains("--metric"))
        app.press("jd")
        app.settleSymmetry()
        let changed = try #require(CommandLineText.equivalent(to: app.state))
        let metric = app.state.symmetry.current.settings.metric.rawValue
        #expect(changed.contains(" --input 1") && changed.contains(" --metric \(metric)"))
        app.press("w")
        app.settleSymmetry()
        #expect(CommandLineText.equivalent(to: app.state)?.hasSuffix(" --raw") == true)
    }

    @Test("Where the first model's data is missing the next one opens, and says why")
    func missingData() {
        let missing = SymmetryError.sourceMissing(construction: "fake-multiple", places: ["data"])
        let app = Self.open([
            FakeSymmetryModel(name: "far", failure: missing),
            FakeSymmetryModel(name: "near"),
        ])
        #expect(app.state.symmetry.facts?.count == 400)
        #expect(app.state.symmetry.a.model?.name == "near")
        #expect(app.text().contains("far needs data that is not here"))
        // With none left the reason stays on the pane.
        let alone = Self.open([FakeSymmetryModel(failure: missing)])
        #expect(alone.text().contains("The set could not be opened"))
    }

    @Test("Rotating by 37° moves the corrected pose by 37° and leaves the level")
    func intervention() throws {
        let app = Self.open()
        app.press("jjj")
        app.settleSymmetry()
        let before = try #require(app.state.symmetry.a.row)
        app.press("e")
        app.press(KeyPress("u", .control))
        app.type("37")
        app.press(.enter)
        app.settleSymmetry()
        let response = try #require(app.state.symmetry.a.response)
        let moved = (response.row.corrected * before.corrected.inverse).degrees
        #expect(abs(moved - 37) < 1e-9)
        #expect(response.row.level == before.level)
        #expect(app.text().contains("(change +37.0°)"))
        app.press("L")
        app.settleSymmetry()
        #expect(app.state.symmetry.rotation == 67)
        app.press("0")
        app.press("H")
        app.settleSymmetry()
        // From −54° by −30° it leaves ±54°.
        #expect(app.text().contains("OUTSIDE"))
        app.press("0")
        app.settleSymmetry()
        #expect(app.state.symmetry.a.response == nil)
        #expect(app.text().contains("inside"))
    }

    @Test("k, mean and estimator change the answers while the pane is watched")
    func settings() {
        let app = Self.open()
        app.press("jjjjj")
        app.settleSymmetry()
        let k = app.state.symmetry.a.settings.neighbours
        app.press("[[")
        app.settleSymmetry()
        #expect(app.state.symmetry.a.settings.neighbours < k)
        #expect(
            app.state.symmetry.a.distribution?.inputs.count
                == app.state.symmetry.a.settings.neighbours)
        app.press("cc")
        app.settleSymmetry()
        #expect(app.state.symmetry.a.settings.mean == .none)
        #expect(app.state.symmetry.a.distribution?.fit.center == nil)
        #expect(app.text().contains("none (raw)"))
        let level = app.state.symmetry.a.table?.rows[5].level
        app.press("c")
        app.settleSymmetry()
        #expect(app.state.symmetry.a.settings.mean == .frechet)
        #expect(app.state.symmetry.a.table?.rows[5].level != level)
        app.press("}")
        app.settleSymmetry()
        #expect(app.state.symmetry.a.settings.mean == .tukey(c: 65))
    }

    @Test("The list is sorted by level and by OOD score")
    func sorting() throws {
        let app = Self.open()
        app.press("i")
        let rows = try #require(app.state.symmetry.a.table?.rows)
        let levels = app.state.symmetry.list.map { rows[$0].level }
        #expect(levels == levels.sorted(by: >))
        app.press("i")
        let scores = app.state.symmetry.list.map { rows[$0].outsideScore }
        #expect(scores == scores.sorted(by: >))
        #expect(app.state.symmetry.selected == app.state.symmetry.list.first)
        #expect(app.text().contains("score"))
        app.press("G")
        app.settleSymmetry()
        #expect(app.state.symmetry.selected == app.state.symmetry.list.last)
    }

    @Test("The cursor in the histogram reads bin, count and share; T shows the same numbers")
    func cursor() throws {
        let app = Self.open()
        app.press("jjjj")
        app.settleSymmetry()
        app.press("l")
        let bin = try #require(app.state.symmetry.bin)
        let chart = try #require(app.state.symmetry.chart(.a))
        #expect(
            app.text().contains("bin \(bin + 1)/36")
                && app.text().contains(", \(chart.histogram.counts[bin]), "))
        app.press("T")
        let text = app.text()
        #expect(text.contains("share") && text.contains("fitted") && text.contains("truth"))
        app.press("z")
        #expect(!app.text().contains("truth  "))
        app.press("T")
        #expect(app.state.symmetry.view == .bars)
    }

    @Test("Two settings and two models stand side by side")
    func comparison() throws {
        let app = Self.open([
            FakeSymmetryModel(name: "first"), FakeSymmetryModel(name: "second"),
        ])
        app.press("v")
        app.settleSymmetry()
        var text = app.text()
        #expect(text.contains("A first  Fréchet") && text.contains("B first  Tukey auto"))
        #expect(app.state.symmetry.side(.b).settings.mean == .tukey(c: nil))
        app.press("b")
        #expect(app.state.symmetry.active == .a)
        app.press("V")
        app.type("second")
        app.press(.enter)
        app.wait { $0.symmetry.b?.facts != nil }
        app.settleSymmetry()
        #expect(app.state.symmetry.b?.facts?.modelName == "second")
        #expect(app.state.symmetry.b?.distribution != nil)
        text = app.text()
        #expect(text.contains("B second"))
        app.press("v")
        #expect(app.state.symmetry.b == nil)
    }

    @Test("Small multiples show every class; a click shows it large")
    func classes() {
        let app = Self.open()
        app.press("mm")
        #expect(app.state.symmetry.view == .classes)
        app.settleSymmetry()
        #expect(app.state.symmetry.a.classes.count == 10)
        app.click("7  ")
        app.application.send(.symmetry(.label(7)))
        app.settleSymmetry()
        #expect(app.state.symmetry.a.distribution?.scope == .label(7))
        #expect(app.text().contains("Class 7"))
    }

    @Test("Everything shown is exported as PNG, CSV and JSON")
    func export() throws {
        let app = Self.open()
        app.press("jjj")
        app.settleSymmetry()
        app.press("W")
        app.press(KeyPress("u", .control))
        app.type("/nowhere/out")
        app.press(.enter)
        app.wait { $0.notice?.text.hasPrefix("Wrote") == true }
        let files = app.files.files
        let png = try #require(files["/nowhere/out.png"])
        #expect(png.prefix(4).elementsEqual([0x89, 0x50, 0x4E, 0x47]))
        let csv = String(decoding: try #require(files["/nowhere/out.csv"]), as: UTF8.self)
        let chart = try #require(app.state.symmetry.chart(.a))
        #expect(csv == SymmetryReport.csv(chart))
        let json = try JSONValue(parsing: try #require(files["/nowhere/out.json"]))
        #expect(json["scope"] == .string("neighbours of 3"))
        let rows = String(
            decoding: try #require(files["/nowhere/out-inputs.csv"]), as: UTF8.self)
        #expect(rows.split(separator: "\n").count == 401)
        for name in ["-rose.png", "-standardized.png", "-natural-canonical.png"] {
            #expect(files["/nowhere/out" + name] != nil)
        }
    }

    @Test("A sample is sent here, and its upright form to the mask pane")
    func exchange() throws {
        let app = Self.open()
        app.press("3")
        app.press(.enter)
        app.settle()
        app.press("s")
        app.wait { ($0.symmetry.facts?.names.count ?? 0) == 401 }
        app.settleSymmetry()
        #expect(app.state.layout.focus == .symmetry)
        #expect(app.state.symmetry.selected == 400)
        #expect(app.state.symmetry.list.first == 400)
        #expect(app.state.symmetry.a.row?.corrected.degrees == 90)
        #expect(app.text().contains("OUTSIDE"))
        app.press("S")
        #expect(app.state.layout.focus == .mask)
        #expect(app.state.mask.source?.width == 28)
    }

    @Test("Rotations of space: sphere, ball, histogram of angles, the shape turning")
    func space() throws {
        let app = Self.open([FakeSymmetryModel(group: .so3)])
        app.press("jjjjjjj")
        app.settleSymmetry()
        #expect(app.text().contains("turn z"))
        app.press("m")
        #expect(app.state.symmetry.view == .sphere)
        #expect(app.text().contains("axes of rotation"))
        app.press("m")
        #expect(app.text().contains("x → y"))
        let export = try #require(SymmetryExport(app.state.symmetry, base: "out"))
        let files = Dictionary(uniqueKeysWithValues: export.files().map { ($0.path, $0.content) })
        #expect(files["out-input.png"] != nil && files["out-orbit45.png"] != nil)
        guard case .text(let list)? = files["out-input.xyz"] else {
            Issue.record("no list of points")
            return
        }
        let points = try XYZFile(text: list, path: "out-input.xyz")
        #expect(list.hasPrefix("\(points.positions.count)\n"))
        app.press("A")
        #expect(app.state.symmetry.axis == .x)
        app.press("ss")
        app.settleSymmetry()
        // A picture cannot be an input of a model of space.
        app.application.send(.symmetry(.addFailed("no")))
        #expect(app.state.notice?.text == "no")
    }

    @Test("What cannot be opened says why and what to do")
    func failures() {
        let failing = FakeSymmetryModel(
            failure: .sourceMissing(construction: "fake-multiple", places: ["data", "/d"]))
        let app = ApplicationHarness(symmetry: [failing]).ready()
        app.press("9")
        app.wait { if case .failed = $0.symmetry.opening { true } else { false } }
        let text = app.text()
        #expect(text.contains("was not found"))
        #expect(text.contains("name the folder"))
        let none = ApplicationHarness().ready()
        none.press("9")
        #expect(none.text().contains("No symmetry model was found"))
    }

    @Test("A slider drag turns the input")
    func drag() throws {
        let app = Self.open()
        let point = try #require(app.frame().surface.find("turn"))
        let start = Point(x: point.x + 30, y: point.y)
        app.application.handle(.mouse(MouseEvent(.press, button: .left, cell: start)))
        app.application.handle(
            .mouse(
                MouseEvent(.drag, button: .left, cell: Point(x: start.x + 20, y: start.y))))
        app.application.handle(.mouse(MouseEvent(.release, button: .left, cell: start)))
        app.settleSymmetry()
        #expect(app.state.symmetry.rotation != 0)
        #expect(app.state.symmetry.a.response != nil)
    }

    private static let scenes: [(String, FakeSymmetryModel, (ApplicationHarness) -> Void)] = [
        ("symmetry", FakeSymmetryModel(), { $0.press("jjjjj") }),
        (
            "symmetry-compare", FakeSymmetryModel(),
            {
                $0.press("jjjjj")
                $0.press("v")
            }
        ),
        ("symmetry-classes", FakeSymmetryModel(), { $0.press("mm") }),
        (
            "symmetry-turned", FakeSymmetryModel(),
            {
                $0.press("jjjjj")
                $0.press("L")
                $0.press("l")
            }
        ),
        (
            "symmetry-space", FakeSymmetryModel(group: .so3),
            {
                $0.press("jjjjj")
                $0.press("m")
            }
        ),
    ]

    @Test("Screens are as stored", arguments: 0..<5)
    func golden(index: Int) {
        let (name, model, prepare) = Self.scenes[index]
        for (columns, rows) in [(200, 60), (120, 40), (80, 24), (40, 12)] {
            let app = Self.open([model], size: CellSize(columns: columns, rows: rows))
            prepare(app)
            app.settleSymmetry()
            let frame = app.frame()
            var text = frame.surface.text()
            for placement in frame.placements {
                let r = placement.rect
                text += "picture \(placement.id) at \(r.x),\(r.y) \(r.width)x\(r.height)\n"
            }
            expectGolden(text, "screens/\(name)-\(columns)x\(rows).txt")
        }
    }

    @Test("No size breaks the pane, with and without sixel", arguments: 0..<5)
    func sizes(index: Int) {
        for capabilities in [ApplicationHarness.sixelTerminal, Capabilities(colors: .none)] {
            let (_, model, prepare) = Self.scenes[index]
            let app = Self.open([model], capabilities: capabilities)
            prepare(app)
            app.settleSymmetry()
            for columns in [1, 3, 8, 19, 20, 30, 44, 59, 60, 61, 80, 104, 131, 200] {
                for rows in [1, 4, 6, 7, 9, 12, 15, 17, 24, 26, 40, 60] {
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
}

extension ApplicationHarness {
    /// Until every question of the symmetry pane is answered and its tables are there.
    func settleSymmetry() {
        wait { state in
            guard state.symmetry.facts != nil, state.symmetry.opening == .idle,
                state.jobs.jobs.allSatisfy({ $0.state.isFinished })
            else { return false }
            return state.symmetry.sides.values.allSatisfy {
                $0.answered == $0.asked && $0.tableState == .done
            }
        }
    }
}
