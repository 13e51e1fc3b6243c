# The one binary in an image with nothing else in it.
FROM node:22-slim AS web
WORKDIR /src
COPY web/playground/package.json web/playground/package-lock.json web/playground/
RUN cd web/playground && npm ci --no-audit --no-fund
COPY web/site/package.json web/site/package-lock.json web/site/
RUN cd web/site && npm ci --no-audit --no-fund
COPY schema schema
COPY web web
RUN cd web/playground && npm run build && cd ../site && npm run build

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=web /src/web/playground/dist web/playground/dist
COPY --from=web /src/web/site/dist web/site/dist
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /ordergraph ./cmd/ordergraph \
 && install -d -o 65532 -g 65532 /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /ordergraph /ordergraph
COPY --from=build --chown=65532:65532 /data /data
ENV DATA_DIR=/data HTTP_ADDR=0.0.0.0:8080 GRPC_ADDR=0.0.0.0:9090 METRICS_ADDR=0.0.0.0:9464
VOLUME /data
EXPOSE 8080 9090 9464
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s CMD ["/ordergraph", "health"]
ENTRYPOINT ["/ordergraph"]
CMD ["serve"]
