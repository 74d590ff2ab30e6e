// Schedules: the generator's published examples, checks and live changes.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Testing

@Suite struct ScheduleTests {
    @Test(arguments: [
        (16, 1, [5, 11]), (16, 3, [2, 3, 5, 6]), (9, 3, [1, 2, 3, 3]), (4, 1, [2, 2]),
        (100, 3, [8, 22, 32, 38]), (256, 8, [4, 12, 19, 25, 32, 36, 41, 43, 44]), (1, 4, [1]),
    ])
    func cosineRowsAreTheWorkedExamples(tokens: Int, steps: Int, row: [Int]) {
        #expect(ScheduleFamily.cosine.row(tokenCount: tokens, maskSteps: steps) == row)
    }

    @Test(arguments: ScheduleFamily.allCases)
    func everyFamilySumsUpWithPositiveEntries(family: ScheduleFamily) {
        for n in [1, 2, 4, 9, 25, 49, 256] {
            for steps in [0, 1, 2, 5, 30, 300] {
                let row = family.row(tokenCount: n, maskSteps: steps)
                #expect(row.reduce(0, +) == n && row.allSatisfy { $0 > 0 })
                #expect(row.count <= steps + 1)
            }
        }
    }

    @Test func aWrongRowIsRefusedWithItsPlace() throws {
        let sides = [1, 2, 3]
        #expect(throws: ScheduleError.wrongSum(scale: 2, side: 3, expected: 9, found: 10)) {
            try SamplingSchedule(patchNums: sides, rows: [[1], [4], [5, 5]])
        }
        #expect(throws: ScheduleError.notPositive(scale: 1, index: 1, found: 0)) {
            try SamplingSchedule(patchNums: sides, rows: [[1], [4, 0], [9]])
        }
        #expect(throws: ScheduleError.emptyRow(scale: 0, expected: 1)) {
            try SamplingSchedule(patchNums: sides, rows: [[], [4], [9]])
        }
        #expect(throws: ScheduleError.wrongScaleCount(expected: 3, found: 1)) {
            try SamplingSchedule(patchNums: sides, rows: [[1]])
        }
        #expect(throws: ScheduleError.wrongSum(scale: 0, side: 1, expected: 1, found: .max)) {
            try SamplingSchedule(patchNums: [1], rows: [[.max, .max]])
        }
        let stored = Data(#"{"patchNums":[1,2],"rows":[[1],[3]]}"#.utf8)
        #expect(throws: ScheduleError.self) {
            try JSONDecoder().decode(SamplingSchedule.self, from: stored)
        }
    }

    @Test func aLiveRowReachesOnlyScalesNotBegun() throws {
        let control = SamplingControl()
        #expect(control.row(forScale: 0, proposed: [1]) == [1])
        control.setRow([2, 2], scale: 1)
        #expect(control.row(forScale: 1, proposed: [4]) == [2, 2])
        #expect(control.plannedRows([[1], [4], [9]]) == [[1], [2, 2], [9]])
    }
}

@Suite struct ScheduleParsingTests {
    @Test func theThreeWaysOfWriting() throws {
        let sides = [1, 2, 3]
        #expect(
            try SamplingSchedule(parsing: "[[1],[1,3],[9]]", patchNums: sides).rows[1] == [1, 3])
        #expect(try SamplingSchedule(parsing: " next-scale ", patchNums: sides).passCount == 3)
        let cosine = try SamplingSchedule(parsing: "cosine:3", patchNums: sides)
        #expect(cosine.rows == [[1], [1, 1, 1, 1], [1, 2, 3, 3]])
        #expect(try SamplingSchedule.row(parsing: "[1, 3 5]") == [1, 3, 5])
    }

    @Test(arguments: ["", "[[1],[2]", "cosine:-1", "cosine:x", "{\"a\":1}", "[[1.5],[4],[9]]"])
    func nonsenseIsRefused(text: String) {
        #expect(throws: ScheduleError.self) {
            try SamplingSchedule(parsing: text, patchNums: [1, 2, 3])
        }
        #expect(throws: ScheduleError.self) { try SamplingSchedule.row(parsing: "1, two") }
    }
}
