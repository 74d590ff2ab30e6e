// Decoding in bands against decoding as a whole.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

@Suite struct DecoderBandsTests {
    @Test(arguments: [1, 5 * 2 * 32 * 20 * 4, 1 << 20])
    func bandsGiveTheWholePicture(byteCount: Int) throws {
        let network = try VQVAE(
            configuration: VQVAEConfiguration(
                channels: 32, channelMultipliers: [1, 1, 2], residualBlocks: 2, latentChannels: 8,
                vocabulary: 16, patchNums: [1, 2, 5], normGroups: 8),
            store: ParameterStore(seed: 3))
        let latent = randomTensor([2, 8, 5, 5], seed: 4)
        let whole = withoutGradients { network.decodedRaw(latent) }
        // Every level in bands, from four rows to one band that is the map.
        let banded = network.decodedRaw(
            latent, bands: DecoderBands(fromBytes: 0, byteCount: byteCount))
        expectClose(banded.floats(), whole.floats(), absolute: 2e-5)
    }

    @Test func bandsCoverEveryRowOnce() {
        for height in 1...40 {
            for rows in 1...12 {
                let bands = PictureBands(of: [1, 1, height, 1], byteCount: 4 * rows)
                #expect(bands.ranges.flatMap { Array($0) } == Array(0..<height))
                for (band, next) in zip(bands.ranges, bands.ranges.dropFirst()) {
                    #expect(band.count >= 4 && next.count >= 3)
                }
            }
        }
    }
}
