// Recipes survive their JSON, and lying ones are refused. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Testing

@Suite struct PictureRecipeTests {
    @Test func anEditComesBackFromItsJSON() throws {
        var mask = PixelMask(width: 5, height: 3)
        mask[0, 0] = true
        mask[4, 2] = true
        mask[2, 1] = true
        var source = RGBImage(width: 5, height: 3)
        source[3, 1] = (7, 8, 9)
        let schedule = try SamplingSchedule(patchNums: [1, 2], rows: [[1], [2, 2]])
        let request = EditRequest(
            source: source, mask: mask, mode: .classEdit, anchor: .residual, keepScales: 1,
            dilate: 2, maskSteps: [0, 3], pasteBack: true,
            sampling: SamplingRequest(classLabel: 3, seed: .max, cfg: 2.5, schedule: schedule))
        let card = ModelCard(
            name: "m", system: "s", summary: "", data: "", dataLicence: "", licence: "",
            files: [.init(role: "hmar", path: "a", sha256: "ff", bytes: 1)])
        let recipe = PictureRecipe(
            program: "1", card: card, index: 0, sampling: request.sampling, schedule: schedule,
            edit: request)
        let decoded = try JSONDecoder().decode(
            PictureRecipe.self, from: JSONEncoder().encode(recipe))
        #expect(decoded == recipe)
        #expect(try decoded.editRequest() == request)
    }

    @Test(arguments: [[3], [-1, 10], [Int.max, 1], []])
    func lyingRunsAreRefused(runs: [Int]) {
        var stored = StoredMask(PixelMask(width: 3, height: 3))
        stored.runs = runs
        #expect(throws: DecodingError.self) { try stored.mask() }
    }

    @Test func aLyingPictureIsRefused() {
        var stored = StoredImage(RGBImage(width: 2, height: 2))
        stored.width = .max
        #expect(throws: DecodingError.self) { try stored.image() }
    }
}
